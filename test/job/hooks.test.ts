import { Observable, Subject, of, throwError, map, take, tap, timer } from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import type { JobOptions, JobRequest } from 'runpod-rx';
import { script, statuses, world, type Answer } from '../support/world.js';
import { acting, number, schema, streaming, tally, when, type Act } from './support/acting.js';

const input = { ms: 20_000 };
const queued: Answer = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const types = (events: readonly { readonly type: string }[]) => events.map(({ type }) => type);

describe('beforeSubmit', () => {
  const changed = { input: { ms: 1_000, token: 'a' }, webhook: 'https://example.org/hook' };

  test.each<[string, (scheduler: SchedulerLike) => JobOptions['beforeSubmit'], number]>([
    ['an Observable', () => () => of(changed), 0],
    ['an Observable that takes its time', (scheduler) => () => timer(3_000, scheduler).pipe(map(() => changed)), 3_000],
    ['an Observable of more than one', () => () => of(changed, { input: { ms: 9 } }), 0],
    ['an iterable', () => () => [changed], 0],
  ])('may give %s, which is submitted once', (_, hook, at) => {
    const made = world();
    const beforeSubmit = vi.fn(hook(made.scheduler));
    const request = { input };
    const job = made.endpoint.job(request, { beforeSubmit });
    expect(beforeSubmit).not.toHaveBeenCalled();
    const [events, output] = [made.see(job.events$), made.see(job.output$)];
    made.until(100_000);
    made.see(job.output$);
    made.until(200_000);
    expect(beforeSubmit.mock.calls).toEqual([[request]]);
    expect(made.emulator.jobs()).toMatchObject([{ input: changed.input, submittedAt: at }]);
    expect(events.values[0]).toEqual({ type: 'submitting', request: changed });
    expect(output.values).toHaveLength(1);
    expect(tally(made).run).toBe(1);
  });

  test('may give a Promise', async () => {
    const made = world();
    const beforeSubmit = vi.fn(() => Promise.resolve(changed));
    const seen = made.see(made.endpoint.job({ input }, { beforeSubmit }).output$);
    expect(tally(made)).toEqual({});
    await expect.poll(() => tally(made).run).toBe(1);
    made.until(100_000);
    expect(made.emulator.jobs()).toMatchObject([{ input: changed.input }]);
    expect(seen.values).toHaveLength(1);
    expect(beforeSubmit).toHaveBeenCalledTimes(1);
  });

  test('that fails with undefined has the next view submit anew', () => {
    const made = world();
    let fails = true;
    const beforeSubmit = vi.fn((request: JobRequest) => (fails ? throwError(() => undefined) : of(request)));
    const job = made.endpoint.job({ input }, { beforeSubmit });
    const first = made.see(job.output$);
    made.until(1_000);
    expect(first.error).toMatchObject({ code: 'aborted' });
    fails = false;
    const second = made.see(job.output$);
    made.until(100_000);
    expect(second.values).toHaveLength(1);
    expect(tally(made).run).toBe(1);
  });

  const broken = new Error('the store is full');
  test.each<[string, NonNullable<JobOptions['beforeSubmit']>]>([
    [
      'throws',
      () => {
        throw broken;
      },
    ],
    ['errors', () => throwError(() => broken)],
    [
      'errors after a value that was not awaited',
      () =>
        new Observable((subscriber) => {
          subscriber.error(broken);
        }),
    ],
  ])('that %s: nothing is sent, all views get its error, and it is not called again', (_, hook) => {
    const made = script(() => queued);
    const beforeSubmit = vi.fn(hook);
    const job = made.endpoint.job({ input }, { beforeSubmit });
    const seen = [job.output$, job.state$, job.chunks$, job.events$, job.id$].map((view$) => made.see<unknown>(view$));
    for (const { error } of seen) expect(error).toBeUndefined();
    made.until(10_000);
    const late = made.see(job.output$);
    made.until(20_000);
    for (const { error, values } of [...seen, late]) expect([error, values]).toEqual([broken, []]);
    expect(beforeSubmit).toHaveBeenCalledTimes(1);
    expect(made.sent).toEqual([]);
    expect(made.scheduler.actions).toEqual([]);
  });

  test('that gives nothing: nothing is sent, and the views error', () => {
    const made = script(() => queued);
    const seen = made.see(made.endpoint.job({ input }, { beforeSubmit: () => [] }).output$);
    made.until(10_000);
    expect(seen.error).toBeDefined();
    expect(made.sent).toEqual([]);
  });

  test('S20 gives a request that is checked as any other', () => {
    const made = script(() => queued);
    const bad = { input: {}, policy: { ttl: 1 } };
    const seen = made.see(made.endpoint.job({ input }, { beforeSubmit: () => of(bad) }).output$);
    made.until(10_000);
    expect(seen.error).toMatchObject({ code: 'validation' });
    expect((seen.error as Error).message).toMatch(/input.*policy\.ttl/);
    expect(made.sent).toEqual([]);
  });

  test('S1 is called once for a submission that is sent several times', () => {
    const made = script((_, nth) => (nth < 3 ? { status: 429 } : queued));
    const beforeSubmit = vi.fn((request: JobRequest) => of(request));
    const seen = made.see(made.endpoint.job({ input }, { beforeSubmit }).events$);
    made.until(10_000);
    expect(tally(made).run).toBe(3);
    expect(beforeSubmit).toHaveBeenCalledTimes(1);
    expect(types(seen.values).filter((type) => type === 'submitting')).toHaveLength(1);
  });

  test('S5 is unsubscribed from where the last view unsubscribes; nothing is sent, and a later subscriber calls it anew', () => {
    const made = script(() => queued);
    let stopped = 0;
    const beforeSubmit = vi.fn(
      (request: JobRequest) =>
        new Observable<JobRequest>((subscriber) => {
          const waiting = timer(5_000, made.scheduler).subscribe(() => {
            subscriber.next(request);
          });
          return () => {
            stopped++;
            waiting.unsubscribe();
          };
        }),
    );
    const job = made.endpoint.job({ input }, { beforeSubmit });
    const first = made.see(job.state$);
    made.until(1_000);
    first.subscription.unsubscribe();
    made.until(50_000);
    expect([stopped, made.sent]).toEqual([1, []]);
    made.see(job.state$);
    made.until(60_000);
    expect(beforeSubmit).toHaveBeenCalledTimes(2);
    expect(when(made, 'run')).toEqual([55_000]);
    expect(tally(made)).toMatchObject({ run: 1 });
  });

  test('is not called for an attached job', () => {
    const made = script(() => ({ body: { id: 'job-1', status: 'COMPLETED', output: 1 } }));
    const beforeSubmit = vi.fn((request: JobRequest) => of(request));
    const seen = made.see(made.endpoint.attach('job-1', { beforeSubmit }).output$);
    made.until(1_000);
    expect(seen.values).toEqual([1]);
    expect(beforeSubmit).not.toHaveBeenCalled();
  });
});

describe('the event submitting', () => {
  test('comes once, before the request is sent, and is not replayed to late subscribers', () => {
    const made = script(() => ({ ...queued, after: 100 }));
    const sent: number[] = [];
    const job = made.endpoint.job({ input });
    made.see(
      job.events$.pipe(
        tap(({ type }) => {
          if (type === 'submitting') sent.push(made.sent.length);
        }),
      ),
    );
    expect(sent).toEqual([0]);
    expect(made.sent).toHaveLength(1);
    made.until(50);
    const late = made.see(job.events$);
    made.until(5_000);
    expect(types(late.values).slice(0, 2)).toEqual(['submitted', 'state']);
    expect(sent).toEqual([0]);
  });

  test('S4 unsubscribing in answer to it releases the job a macrotask later: the job is cancelled, once', () => {
    const made = world();
    const seen = made.see(made.endpoint.job({ input }).events$.pipe(take(1)));
    made.until(100_000);
    expect(types(seen.values)).toEqual(['submitting']);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
    expect(tally(made).run).toBe(1);
  });

  test('does not come for an attached job', () => {
    const made = script(() => ({ body: { id: 'job-1', status: 'COMPLETED', output: 1 } }));
    const seen = made.see(made.endpoint.attach('job-1').events$);
    made.until(1_000);
    expect(types(seen.values)).toEqual(['submitted', 'state', 'ended']);
  });
});

describe('tag', () => {
  test('is on all activity of the job, and on nothing else', () => {
    const made = world({ endpoints: { demo: streaming() } });
    const job = made.endpoint.job({ input: { ms: 60_000 } }, { tag: 'mine' });
    const [chunks, state] = [made.see(job.chunks$), made.see(job.state$)];
    made.until(5_000);
    const id = made.emulator.jobs()[0]!.id;
    chunks.subscription.unsubscribe();
    state.subscription.unsubscribe();
    made.until(10_000);
    const own = made.activity.filter(({ tag }) => tag === 'mine');
    expect(own).toEqual(made.activity);
    expect(new Set(own.map(({ operation }) => operation))).toEqual(new Set(['run', 'status', 'stream', 'cancel']));
    expect(own.filter(({ type }) => type === 'cancel')).toMatchObject([
      { outcome: 'started' },
      { outcome: 'cancelled' },
    ]);
    expect(made.see(made.client.settled()).values).toMatchObject([
      { cancelled: [{ id, tag: 'mine', endpointId: 'demo' }] },
    ]);
    expect(made.see(job.detach()).values).toMatchObject([{ id, tag: 'mine' }]);
    made.see(made.endpoint.status(id));
    made.until(11_000);
    expect(made.activity.at(-1)!.tag).toBeUndefined();
  });

  const tagged: [string, Answer, JobOptions, string][] = [
    ['a refusal', { status: 400 }, {}, 'http'],
    ['a submission of unknown fate', { status: 503 }, {}, 'submission_unknown'],
    ['a failed job', { body: { id: 'job-1', status: 'FAILED', error: 'no' } }, {}, 'job_failed'],
    ['a deadline', queued, { timeout: 1_000 }, 'job_deadline'],
    ['what is wrong with its options', queued, { grace: -1 }, 'validation'],
  ];
  test.each(tagged)('is on the error of %s', (_, answer, options, code) => {
    const made = script(() => answer);
    const seen = made.see(made.endpoint.job({ input }, { tag: 'mine', ...options }).output$);
    made.until(100_000);
    expect(seen.error).toMatchObject({ code, tag: 'mine', endpointId: 'demo' });
  });

  test('of the reference is the attached job’s, unless it has its own', () => {
    const made = script(() => ({ status: 400 }));
    const ref = { v: 1, endpointId: 'demo', id: 'job-1', tag: 'theirs' } as const;
    const [theirs, mine] = [
      made.see(made.endpoint.attach(ref).output$),
      made.see(made.endpoint.attach(ref, { tag: 'mine' }).output$),
    ];
    made.until(100_000);
    expect(theirs.error).toMatchObject({ tag: 'theirs' });
    expect(made.see(made.endpoint.attach(ref).detach()).values).toMatchObject([{ tag: 'theirs' }]);
    expect(made.see(made.endpoint.attach(ref, { tag: 'mine' }).detach()).values).toMatchObject([{ tag: 'mine' }]);
    expect(mine.error).toBeDefined();
  });
});

describe('notices', () => {
  const noticed = (status = 'IN_PROGRESS') => {
    const notices = new Subject<unknown>();
    const made = script(
      ({ operation }) =>
        operation === 'run' ? queued : { body: { id: 'job-1', status: operation === 'cancel' ? 'CANCELLED' : status } },
      { notices },
    );
    return { ...made, notices };
  };

  test('S26 hurry the next read, and nothing of them is shown', () => {
    const { endpoint, notices, see, until, ...made } = noticed('IN_QUEUE');
    const job = endpoint.job({ input }, { every: 10_000 });
    const [state, progress] = [see(job.state$), see(job.progress$)];
    until(8_000);
    expect(when(made, 'status')).toEqual([0]);
    notices.next({ id: 'job-1', status: 'IN_PROGRESS', output: 'half' });
    until(17_999);
    expect(when(made, 'status')).toEqual([0, 8_000]);
    expect(statuses(state)).toEqual(['IN_QUEUE']);
    expect(progress.values).toEqual([]);
  });

  test.each(['COMPLETED', 'FAILED'])(
    'S26 that say %s neither end the job nor keep it from being cancelled',
    (status) => {
      const { endpoint, notices, see, until, ...made } = noticed();
      const job = endpoint.job({ input }, { every: 10_000 });
      const [output, state] = [see(job.output$), see(job.state$)];
      until(4_000);
      notices.next({ id: 'job-1', status, output: { url: 'forged' }, error: 'forged' });
      until(5_000);
      expect([output.ended, state.ended]).toEqual([undefined, undefined]);
      const cancelled = see(job.cancel());
      until(20_000);
      expect(tally(made).cancel).toBe(1);
      expect(cancelled.values).toMatchObject([{ status: 'CANCELLED' }]);
    },
  );

  test.each([
    ['of another job', { id: 'job-2', status: 'COMPLETED' }],
    ['without an id', { status: 'COMPLETED' }],
    ['that are no object', 'COMPLETED'],
    ['that are null', null],
  ])('%s change nothing', (_, notice) => {
    const { endpoint, notices, see, until, ...made } = noticed();
    const seen = see(endpoint.job({ input }, { every: 10_000 }).state$);
    until(4_000);
    const before = seen.values.length;
    notices.next(notice);
    until(9_999);
    expect(seen.values).toHaveLength(before);
    until(10_000);
    expect(when(made, 'status')).toEqual([0, 10_000]);
    expect(seen.error).toBeUndefined();
  });

  test('are subscribed to only while a job has subscribers', () => {
    const { endpoint, notices, see, until } = noticed();
    const job = endpoint.job({ input }, { onUnsubscribe: 'detach' });
    expect(notices.observed).toBe(false);
    const seen = see(job.state$);
    until(1_000);
    expect(notices.observed).toBe(true);
    seen.subscription.unsubscribe();
    until(2_000);
    expect(notices.observed).toBe(false);
  });

  test('that error or complete do not stop the polling', () => {
    for (const end of ['error', 'complete'] as const) {
      const { endpoint, notices, see, until, ...made } = noticed();
      const seen = see(endpoint.job({ input }, { every: 10_000 }).state$);
      until(4_000);
      notices[end](new Error('gone'));
      until(25_000);
      expect(when(made, 'status')).toEqual([0, 10_000, 20_000]);
      expect(seen.error).toBeUndefined();
    }
  });
});

describe('schemas', () => {
  test('S20 of the input: an input that does not match is not sent, and the error names the field', () => {
    const made = script(() => queued);
    const endpoint = made.client.endpoint('demo', {
      input: schema((value) => {
        number((value as { seed: unknown }).seed);
        return value as { seed: number };
      }),
    });
    const seen = made.see(endpoint.job({ input: { seed: 'x' as unknown as number } }).output$);
    made.until(10_000);
    expect(seen.error).toMatchObject({ code: 'validation' });
    expect((seen.error as Error).message).toContain('must be a number');
    expect(made.sent).toEqual([]);
  });

  test('of the input: the transformed input is sent', () => {
    const made = script(() => queued);
    const endpoint = made.client.endpoint('demo', { input: schema((value) => ({ ...(value as object), seed: 1 })) });
    made.see(endpoint.job({ input: { seed: 0, prompt: 'a' } as never }).output$);
    made.until(1_000);
    expect(JSON.parse(made.sent[0]!.body!)).toEqual({ input: { seed: 1, prompt: 'a' } });
  });

  test('of the output: all views emit the transformed output', () => {
    const made = world({ endpoints: { demo: acting } });
    const endpoint = made.client.endpoint('demo', { output: schema((value) => Object.keys(value as object)) });
    const job = endpoint.job({ input: { ms: 1_000 } });
    const [output, state, events] = [made.see(job.output$), made.see(job.state$), made.see(job.events$)];
    made.until(10_000);
    expect(output.values).toEqual([['echo']]);
    expect(state.values.at(-1)).toMatchObject({ status: 'COMPLETED', output: ['echo'] });
    expect(events.values.at(-1)).toMatchObject({ type: 'ended', snapshot: { output: ['echo'] } });
  });

  test('of the output: a mismatch is a final error of all views; the job is not cancelled, and not read again', () => {
    const made = world({ endpoints: { demo: acting } });
    const endpoint = made.client.endpoint('demo', { output: schema(number) });
    const job = endpoint.job({ input: { ms: 2_000 } });
    const views = [job.output$, job.state$, job.events$, job.chunks$];
    const seen = views.map((view$) => made.see<unknown>(view$));
    made.until(50_000);
    for (const { error } of seen) {
      expect(error).toMatchObject({
        code: 'job_output',
        snapshot: { status: 'COMPLETED', output: { echo: { ms: 2_000 } } },
        issues: [{ field: 'output' }],
      });
    }
    const before = tally(made);
    const late = views.map((view$) => made.see<unknown>(view$));
    for (const { error } of late) expect(error).toBeUndefined();
    made.until(100_000);
    for (const { error } of late) expect(error).toBe(seen[0]!.error);
    expect(tally(made)).toEqual(before);
    expect(before.cancel).toBeUndefined();
    expect(before.run).toBe(1);
  });

  test('of the output: is not applied to a job that failed', () => {
    const made = world({ endpoints: { demo: acting } });
    const endpoint = made.client.endpoint('demo', { output: schema(number) });
    const seen = made.see(endpoint.job({ input: { ms: 1_000, fails: 'no' } satisfies Act }).output$);
    made.until(10_000);
    expect(seen.error).toMatchObject({ code: 'job_failed' });
  });

  test('of the output: is applied at a deadline, too', () => {
    const made = world({ endpoints: { demo: acting } });
    const endpoint = made.client.endpoint('demo', { output: schema((value) => Object.keys(value as object)) });
    const seen = made.see(endpoint.job({ input: { ms: 4_000 } }, { timeout: 5_000, every: 1e6 }).output$);
    made.until(100_000);
    expect(seen.values).toEqual([['echo']]);
    expect(tally(made).cancel).toBeUndefined();
  });
});
