// @vitest-environment jsdom
import { Injector, createEnvironmentInjector, EnvironmentInjector, runInInjectionContext, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { NEVER, concat, delay as pause, map, of, throwError, timer } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { JobRef } from 'runpod-rx';
import { injectEndpoint, jobResource, type JobResource, type JobResourceOptions } from 'runpod-rx/angular';
import type { JobHandler } from 'runpod-rx/testing';
import type { RunpodTestingOptions } from 'runpod-rx/angular/testing';
import { emulated } from './support/testBed.js';

type Input = { prompt: string };
type Output = { text: string };

const poet: RunpodTestingOptions = {
  latency: 20,
  endpoints: {
    poet: ({ input }, { delay }) => delay(5_000).pipe(map(() => ({ text: String(input.prompt).toUpperCase() }))),
    slow: (_, { delay }) => delay(60_000).pipe(map(() => ({ text: 'late' }))),
    // A story of four words, one in each second.
    teller: {
      stream: true,
      aggregate: true,
      handler: (_, { scheduler }) =>
        concat(...['Once', 'upon', 'a', 'time'].map((word) => of(word).pipe(pause(1_000, scheduler)))),
    },
    broken: (_, { scheduler }) =>
      concat(
        timer(1_000, scheduler).pipe(map(() => 'first')),
        throwError(() => new Error('out of memory')),
      ),
  },
};

/** A resource in an injector of its own, as a component has one. */
function resource<C = unknown>(
  options: Partial<JobResourceOptions<Input, Output, C>> & Pick<JobResourceOptions<Input, Output, C>, 'request'>,
  id = 'poet',
): { resource: JobResource<Output, C>; destroy(): void } {
  const injector = createEnvironmentInjector([], TestBed.inject(EnvironmentInjector));
  const made = runInInjectionContext(injector, () =>
    jobResource({ endpoint: injectEndpoint<Input, Output, C>(id), ...options }),
  );
  return { resource: made, destroy: () => injector.destroy() };
}

const ask = (prompt: string) => ({ input: { prompt } });

describe('jobResource', () => {
  it('submits the request, and shows each stage to the output', () => {
    const ledger = emulated(poet);
    const { resource: poem } = resource({ request: () => ask('hello') });
    expect([poem.status(), poem.isLoading(), poem.value()]).toEqual(['submitting', true, undefined]);
    ledger.advance(20);
    expect(poem.status()).toBe('queued');
    ledger.advance(1_000);
    expect(poem.status()).toBe('running');
    expect(poem.hasValue()).toBe(false);
    ledger.advance(6_000);
    expect([poem.status(), poem.isLoading(), poem.value()]).toEqual(['done', false, { text: 'HELLO' }]);
    expect(poem.hasValue()).toBe(true);
    if (poem.hasValue()) expectTypeOf(poem.value()).toEqualTypeOf<Output>();
    expect(poem.state()).toEqual({ status: 'done', value: { text: 'HELLO' } });
    expect(poem.snapshot()?.status).toBe('COMPLETED');
    expect(ledger.statuses()).toEqual(['COMPLETED']);
  });

  it('S4 runs nothing again once its component is destroyed, since nobody would leave the job', () => {
    const ledger = emulated(poet);
    const { resource: poem, destroy } = resource({ request: () => ask('hello') });
    ledger.advance(10_000);
    destroy();
    poem.runAgain();
    ledger.advance(10_000);
    expect(ledger.statuses()).toEqual(['COMPLETED']);
  });

  it('waits in the queue behind other jobs, and says why', () => {
    const ledger = emulated({ endpoints: { poet: { workers: 1, handler: poet.endpoints.poet as JobHandler } } });
    const { resource: first } = resource({ request: () => ask('first') });
    ledger.advance(100);
    const { resource: second } = resource({ request: () => ask('second') });
    ledger.advance(1_000);
    expect([first.status(), second.status()]).toEqual(['running', 'queued']);
    expect(ledger.requests().filter(({ operation }) => operation === 'health')).toEqual([]);
    expect(second.diagnosis()).toBe(undefined);
    ledger.advance(1_000);
    expect(second.diagnosis()).toEqual({ reason: 'queued-behind', queued: 1, running: 1 });
  });

  it('has no job without a request, and leaves the one before when the request goes', () => {
    const ledger = emulated(poet);
    const prompt = signal('');
    const { resource: poem } = resource({ request: () => (prompt() ? ask(prompt()) : undefined) });
    ledger.advance(1_000);
    expect([poem.status(), poem.job()]).toEqual(['idle', undefined]);
    expect(ledger.requests()).toEqual([]);
    prompt.set('a');
    ledger.advance(1_000);
    expect(poem.status()).toBe('running');
    prompt.set('');
    expect([poem.status(), poem.snapshot()]).toEqual(['idle', undefined]);
    ledger.advance(1_000);
    expect(ledger.statuses()).toEqual(['CANCELLED']);
  });

  it('cancels the job before when a signal makes another request', () => {
    const ledger = emulated(poet);
    const prompt = signal('a');
    const { resource: poem } = resource({ request: () => ask(prompt()) });
    ledger.advance(1_000);
    prompt.set('b');
    expect([poem.status(), poem.snapshot()]).toEqual(['submitting', undefined]);
    ledger.advance(6_000);
    expect(poem.value()).toEqual({ text: 'B' });
    expect(ledger.statuses()).toEqual(['CANCELLED', 'COMPLETED']);
  });

  it('S32 neither pays nor cancels for a request that is equal by its content', () => {
    const ledger = emulated(poet);
    const version = signal(0);
    const { resource: poem } = resource({
      request: () => (version() % 2 ? { input: { prompt: 'a', size: 1 } } : { input: { size: 1, prompt: 'a' } }),
    });
    ledger.advance(1_000);
    const job = poem.job();
    version.set(1);
    ledger.advance(1_000);
    expect(poem.job()).toBe(job);
    ledger.advance(4_000);
    version.set(2);
    ledger.advance(6_000);
    expect(poem.status()).toBe('done');
    expect(ledger.statuses()).toEqual(['COMPLETED']);
  });

  it('sees that the same object was changed within', () => {
    const ledger = emulated(poet);
    const version = signal(0);
    const request = { input: { prompt: 'a' } };
    resource({ request: () => (version(), request) });
    ledger.advance(1_000);
    request.input.prompt = 'b';
    version.set(1);
    ledger.advance(6_000);
    expect(ledger.statuses()).toEqual(['CANCELLED', 'COMPLETED']);
  });

  it('holds a changing request back for `debounce`, and lets the job before go on until then', () => {
    const ledger = emulated(poet);
    const prompt = signal('');
    const { resource: poem } = resource({
      request: () => (prompt() ? ask(prompt()) : undefined),
      debounce: 300,
    });
    ledger.advance(0);
    for (const text of ['l', 'li', 'lig', 'ligh', 'light']) {
      prompt.set(text);
      ledger.advance(200);
    }
    expect(poem.status()).toBe('idle');
    ledger.advance(200);
    expect(ledger.jobs().map(({ input }) => input)).toEqual([{ prompt: 'light' }]);
    // Away and back within the pause: nothing happens.
    prompt.set('lights');
    ledger.advance(200);
    prompt.set('light');
    ledger.advance(1_000);
    expect(ledger.statuses()).toEqual(['IN_PROGRESS']);
    prompt.set('lighthouse');
    ledger.advance(299);
    expect(ledger.statuses()).toEqual(['IN_PROGRESS']);
    ledger.advance(6_000);
    expect(ledger.statuses()).toEqual(['CANCELLED', 'COMPLETED']);
    expect(poem.value()).toEqual({ text: 'LIGHTHOUSE' });
  });

  it('submits the first request at once, whatever `debounce` says', () => {
    const ledger = emulated(poet);
    resource({ request: () => ask('a'), debounce: 60_000 });
    ledger.advance(100);
    expect(ledger.statuses()).toEqual(['IN_PROGRESS']);
  });

  it('S4 leaves the job when its injector is destroyed, by the policy', () => {
    const ledger = emulated(poet);
    const cancelled = resource({ request: () => ask('a') });
    const detached = resource({ request: () => ask('b'), onUnsubscribe: 'detach' });
    ledger.advance(1_000);
    cancelled.destroy();
    detached.destroy();
    ledger.advance(6_000);
    expect(ledger.statuses()).toEqual(['CANCELLED', 'COMPLETED']);
  });

  it('does not submit a request that is still held back when it is destroyed', () => {
    const ledger = emulated(poet);
    const prompt = signal('');
    const { destroy } = resource({ request: () => (prompt() ? ask(prompt()) : undefined), debounce: 300 });
    ledger.advance(0);
    prompt.set('a');
    ledger.advance(100);
    destroy();
    ledger.advance(1_000);
    expect(ledger.requests()).toEqual([]);
  });

  it('shows the chunks of a stream as they come, and is done after the last', () => {
    const ledger = emulated(poet);
    const { resource: story } = resource<string>({ request: () => ask('a'), stream: true }, 'teller');
    ledger.advance(2_500);
    expect([story.status(), story.chunks()]).toEqual(['running', ['Once', 'upon']]);
    expect(story.chunks()).toBe(story.chunks());
    ledger.advance(3_000);
    expect(story.status()).toBe('done');
    expect(story.chunks()).toEqual(['Once', 'upon', 'a', 'time']);
  });

  it('keeps the chunks when the job is cancelled in the middle of its stream', () => {
    const ledger = emulated(poet);
    const { resource: story } = resource<string>({ request: () => ask('a'), stream: true }, 'teller');
    ledger.advance(2_500);
    story.cancel();
    story.cancel();
    ledger.advance(3_000);
    expect([story.status(), story.chunks(), story.error()]).toEqual(['cancelled', ['Once', 'upon'], undefined]);
    expect(ledger.statuses()).toEqual(['CANCELLED']);
  });

  it('tells a failure as data, with a code', () => {
    const ledger = emulated(poet);
    const { resource: poem } = resource({ request: () => ask('a') }, 'broken');
    ledger.advance(5_000);
    expect(poem.status()).toBe('failed');
    expect(poem.value()).toBe(undefined);
    const error = poem.error();
    expect(error?.code).toBe('job_failed');
    if (error?.code === 'job_failed') expect(error.snapshot.error.message).toContain('out of memory');
    expect(poem.state()).toEqual({ status: 'failed', error });
  });

  it('tells what `request` throws as an error, and goes on with the next request', () => {
    const ledger = emulated(poet);
    const prompt = signal('');
    const { resource: poem } = resource({
      request: () => {
        if (!prompt()) throw new TypeError('no prompt');
        return ask(prompt());
      },
    });
    ledger.advance(0);
    expect([poem.status(), poem.error()?.code]).toEqual(['failed', 'runpod']);
    expect(poem.error()?.cause).toBeInstanceOf(TypeError);
    prompt.set('a');
    ledger.advance(6_000);
    expect([poem.status(), poem.error()]).toEqual(['done', undefined]);
  });

  it('shows what cannot be sent as an error, and sends nothing', () => {
    const ledger = emulated(poet);
    const { resource: poem } = resource({ request: () => ({ input: { prompt: 1n } }) as never });
    ledger.advance(1_000);
    expect([poem.status(), poem.error()?.code]).toEqual(['failed', 'validation']);
    expect(ledger.requests()).toEqual([]);
  });

  it('withdraws a job that was not sent yet, and shows it as cancelled', () => {
    const ledger = emulated(poet);
    const { resource: poem } = resource({
      request: () => ask('a'),
      // Waits for something of the application.
      beforeSubmit: () => NEVER,
    });
    ledger.advance(1_000);
    expect(poem.status()).toBe('submitting');
    poem.cancel();
    ledger.advance(20_000);
    expect([poem.status(), poem.error()]).toEqual(['cancelled', undefined]);
    expect(ledger.requests()).toEqual([]);
  });

  it('runs the request again as a new job, and clears what it showed', () => {
    const ledger = emulated(poet);
    const { resource: poem } = resource({ request: () => ask('a') });
    ledger.advance(6_000);
    expect(poem.status()).toBe('done');
    poem.runAgain();
    expect([poem.status(), poem.value()]).toEqual(['submitting', undefined]);
    ledger.advance(6_000);
    expect(poem.status()).toBe('done');
    expect(ledger.statuses()).toEqual(['COMPLETED', 'COMPLETED']);
  });

  it('S32 reads a job on that only could not be read, in place of paying for another', () => {
    const ledger = emulated(poet);
    const { resource: story } = resource<string>(
      { request: () => ask('a'), stream: true, outage: 1_000, onGap: 'mark' },
      'teller',
    );
    ledger.advance(1_500);
    expect(story.chunks()).toEqual(['Once']);
    const restore = ledger.emulator.inject({ fault: 'connection-refused' });
    ledger.advance(20_000);
    expect(story.status()).toBe('failed');
    expect(story.error()?.ref).toBeDefined();
    restore();
    story.runAgain();
    ledger.advance(10_000);
    expect([story.status(), story.error()]).toEqual(['done', undefined]);
    expect(story.chunks().slice(0, 2)).toEqual(['Once', 'upon']);
    expect(ledger.jobs()).toHaveLength(1);
  });

  it('S32 submits once where `runAgain()` comes before the request was submitted', () => {
    const ledger = emulated(poet);
    const prompt = signal('a');
    const { resource: poem } = resource({ request: () => ask(prompt()) });
    poem.runAgain();
    ledger.advance(6_000);
    expect(ledger.statuses()).toEqual(['COMPLETED']);
    prompt.set('b');
    poem.runAgain();
    ledger.advance(10_000);
    expect(poem.value()).toEqual({ text: 'B' });
    expect(ledger.statuses()).toEqual(['COMPLETED', 'COMPLETED']);
  });

  describe('a job that still runs, and could not be read', () => {
    /** Its resource; the service can be reached again. */
    const unread = (options: Partial<JobResourceOptions<Input, Output, unknown>> = {}) => {
      const ledger = emulated(poet);
      const prompt = signal('a');
      const made = resource({ request: () => ask(prompt()), outage: 1_000, ...options }, 'slow');
      ledger.advance(1_000);
      const restore = ledger.emulator.inject({ fault: 'connection-refused' });
      ledger.advance(20_000);
      restore();
      expect(made.resource.status()).toBe('failed');
      expect(ledger.statuses()).toEqual(['IN_PROGRESS']);
      return { ...made, ledger, prompt };
    };

    it('S4 is cancelled when its component is destroyed', () => {
      const { ledger, destroy } = unread();
      destroy();
      ledger.advance(5_000);
      expect(ledger.statuses()).toEqual(['CANCELLED']);
    });

    it('S4 is cancelled when another is wanted', () => {
      const { ledger, prompt } = unread();
      prompt.set('b');
      ledger.advance(5_000);
      expect(ledger.statuses()).toEqual(['CANCELLED', 'IN_PROGRESS']);
    });

    it('S4 goes on where its policy says so', () => {
      const { ledger, destroy } = unread({ onUnsubscribe: 'detach' });
      destroy();
      ledger.advance(60_000);
      expect(ledger.statuses()).toEqual(['COMPLETED']);
    });

    it('is cancelled by `cancel()`, and shown so', () => {
      const { ledger, resource: poem } = unread();
      poem.cancel();
      ledger.advance(5_000);
      expect([poem.status(), poem.error()]).toEqual(['cancelled', undefined]);
      expect(ledger.statuses()).toEqual(['CANCELLED']);
    });

    it('is given up by `detach()`, which gives its reference', () => {
      const { ledger, resource: poem, destroy } = unread();
      expect(poem.detach()).toMatchObject({ id: ledger.jobs()[0]!.id });
      expect([poem.status(), poem.error(), poem.detach()]).toEqual(['idle', undefined, undefined]);
      destroy();
      ledger.advance(60_000);
      expect(ledger.statuses()).toEqual(['COMPLETED']);
    });
  });

  it('attaches to a job by its reference, and detaches when it is left', () => {
    const ledger = emulated(poet);
    const first = resource({ request: () => ask('a'), onUnsubscribe: 'detach' });
    ledger.advance(1_000);
    const ref = first.resource.detach();
    expect(ref).toMatchObject({ v: 1, endpointId: 'poet' });
    expect([first.resource.status(), first.resource.isLoading()]).toEqual(['idle', false]);
    first.destroy();
    const again = resource({ request: () => ref as JobRef });
    expect(again.resource.status()).toBe('queued');
    ledger.advance(1_000);
    expect(again.resource.status()).toBe('running');
    again.destroy();
    const byId = resource({ request: () => ref?.id });
    ledger.advance(5_000);
    expect(byId.resource.value()).toEqual({ text: 'A' });
    expect(ledger.statuses()).toEqual(['COMPLETED']);
  });

  it('has nothing to detach before there is an id, and after the end', () => {
    const ledger = emulated(poet);
    const { resource: poem } = resource({ request: () => ask('a') });
    expect(poem.detach()).toBe(undefined);
    ledger.advance(6_000);
    expect(poem.detach()).toBe(undefined);
    expect(poem.status()).toBe('done');
  });

  it('takes an injector in place of the current one', () => {
    const ledger = emulated(poet);
    const endpoint = TestBed.runInInjectionContext(() => injectEndpoint<Input, Output>('poet'));
    const poem = jobResource({ endpoint, request: () => ask('a'), injector: TestBed.inject(Injector) });
    ledger.advance(6_000);
    expect(poem.value()).toEqual({ text: 'A' });
    expect(() => jobResource({ endpoint, request: () => ask('b') })).toThrow(/inject/i);
  });
});
