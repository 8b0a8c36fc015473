// @vitest-environment jsdom
import { emulated } from './support/testBed.js';
import { TransferState, makeStateKey } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { concat, delay as pause, firstValueFrom, map, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { JobRef } from 'runpod-rx';
import {
  injectEndpoint,
  injectRunpod,
  jobResource,
  type JobResource,
  type JobResourceOptions,
} from 'runpod-rx/angular';
import type { Ledger, RunpodTestingOptions } from 'runpod-rx/angular/testing';

const platform: RunpodTestingOptions = {
  endpoints: {
    poet: ({ input }, { delay }) => delay(5_000).pipe(map(() => `an ode to ${String(input.prompt)}`)),
    teller: {
      stream: true,
      // The output proves what a read that was broken off may have carried.
      aggregate: true,
      handler: (_, { scheduler }) =>
        concat(...['Once', 'upon', 'a', 'time'].map((word) => of(word).pipe(pause(1_000, scheduler)))),
    },
  },
};

const request = { input: { prompt: 'the sea' } };
const KEY = makeStateKey<unknown[]>('runpod-rx');

/** A job that a server has submitted and left to the page. */
async function submitted(ledger: Ledger, id = 'poet'): Promise<JobRef> {
  const job = TestBed.runInInjectionContext(() =>
    injectRunpod().endpoint(id).job(request, { onUnsubscribe: 'detach' }),
  );
  job.state$.subscribe();
  ledger.advance(100);
  return firstValueFrom(job.detach());
}

function resource(
  id = 'poet',
  options: Partial<JobResourceOptions<{ prompt: string }, string, string>> = {},
): JobResource<string, string> {
  return TestBed.runInInjectionContext(() =>
    jobResource({
      endpoint: injectEndpoint<{ prompt: string }, string, string>(id),
      request: () => ({ input: { prompt: 'the sea' } }),
      ...options,
    }),
  );
}

function handOver(...jobs: object[]): void {
  TestBed.inject(TransferState).set(KEY, jobs);
}

describe('a job that a server has handed over', () => {
  it('is attached to in place of submitting another, and shows what the HTML shows', async () => {
    const ledger = emulated(platform);
    const ref = await submitted(ledger);
    handOver({
      endpointId: 'poet',
      request,
      ref,
      snapshot: { id: ref.id, status: 'IN_PROGRESS', rawStatus: 'IN_PROGRESS', raw: {} },
    });
    const poem = resource();
    TestBed.tick();
    expect(poem.status()).toBe('running');
    ledger.advance(6_000);
    expect([poem.status(), poem.value()]).toEqual(['done', 'an ode to the sea']);
    expect(ledger.jobs()).toHaveLength(1);
  });

  it('is the page’s own: leaving it cancels it', async () => {
    const ledger = emulated(platform);
    const ref = await submitted(ledger);
    handOver({ endpointId: 'poet', request, ref });
    resource();
    ledger.advance(1_000);
    TestBed.resetTestingModule();
    expect(ledger.emulator.jobs().map(({ status }) => status)).toEqual(['CANCELLED']);
  });

  it('asks nothing where it is over', () => {
    const ledger = emulated(platform);
    const ref = { v: 1, endpointId: 'poet', id: 'job-1' };
    const base = { id: 'job-1', rawStatus: 'COMPLETED', raw: {} };
    handOver({ endpointId: 'poet', request, ref, snapshot: { ...base, status: 'COMPLETED', output: 'an ode' } });
    const poem = resource();
    ledger.advance(10_000);
    expect([poem.status(), poem.value()]).toEqual(['done', 'an ode']);
    expect(ledger.requests()).toEqual([]);
  });

  it('goes on with its stream after the chunks that came with it', async () => {
    const ledger = emulated(platform);
    const job = TestBed.runInInjectionContext(() => injectEndpoint('teller').job(request, { onUnsubscribe: 'detach' }));
    const chunks: unknown[] = [];
    job.chunks$.subscribe((chunk) => chunks.push(chunk));
    ledger.advance(2_500);
    expect(chunks).toEqual(['Once', 'upon']);
    const { gap, ...ref } = await firstValueFrom(job.detach());
    handOver({ endpointId: 'teller', request, ref, chunks });
    const story = resource('teller', { stream: true });
    TestBed.tick();
    expect(story.chunks()).toEqual(['Once', 'upon']);
    ledger.advance(10_000);
    expect(story.chunks()).toEqual(['Once', 'upon', 'a', 'time']);
    expect(gap).toBe(true);
  });

  it('goes on with its stream where the job is over, and the server had not read all of it', async () => {
    const ledger = emulated(platform);
    const job = TestBed.runInInjectionContext(() => injectEndpoint('teller').job(request, { onUnsubscribe: 'detach' }));
    job.state$.subscribe();
    ledger.advance(10_000);
    const ref = await firstValueFrom(job.detach());
    const snapshot = await firstValueFrom(job.state$);
    expect(snapshot.status).toBe('COMPLETED');
    handOver({ endpointId: 'teller', request, ref, snapshot, hasMoreChunks: true });
    const story = resource('teller', { stream: true });
    ledger.advance(10_000);
    expect(story.status()).toBe('done');
    expect(story.chunks()).toEqual(['Once', 'upon', 'a', 'time']);
  });

  it('S31 is taken by a request that is equal once JSON carries it', async () => {
    const ledger = emulated(platform);
    const ref = await submitted(ledger);
    const date = new Date(0);
    const carried = { input: { prompt: 'the sea', date: date.toJSON() } };
    handOver({ endpointId: 'poet', request: carried, ref });
    const poem = resource('poet', {
      request: () => ({ input: { prompt: 'the sea', date, style: undefined } }),
    });
    ledger.advance(10_000);
    expect(poem.status()).toBe('done');
    expect(ledger.jobs()).toHaveLength(1);
  });

  it('is taken once, and by an equal request only', () => {
    const ledger = emulated(platform);
    const base = { id: 'job-1', rawStatus: 'COMPLETED', raw: {} };
    const ref = { v: 1, endpointId: 'poet', id: 'job-1' };
    handOver({ endpointId: 'poet', request, ref, snapshot: { ...base, status: 'COMPLETED', output: 'an ode' } });
    const [other, first, second] = [
      resource('poet', { request: () => ({ input: { prompt: 'the moon' } }) }),
      resource(),
      resource(),
    ];
    ledger.advance(1_000);
    expect([other.status(), first.status(), second.status()]).toEqual(['running', 'done', 'running']);
    first.runAgain();
    ledger.advance(10_000);
    expect(ledger.jobs()).toHaveLength(3);
  });

  it('S31 is not submitted again where the server does not know what became of it', () => {
    const ledger = emulated(platform);
    handOver({ endpointId: 'poet', request, lost: 'run lost its connection' });
    const poem = resource();
    ledger.advance(10_000);
    expect([poem.status(), poem.error()?.code, poem.error()?.accepted]).toEqual([
      'failed',
      'submission_unknown',
      'unknown',
    ]);
    expect(ledger.requests()).toEqual([]);
    poem.runAgain();
    ledger.advance(10_000);
    expect(poem.value()).toBe('an ode to the sea');
  });
});
