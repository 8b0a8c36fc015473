import {
  BehaviorSubject,
  NEVER,
  Subject,
  concat,
  concatMap,
  defer,
  delay,
  firstValueFrom,
  forkJoin,
  ignoreElements,
  lastValueFrom,
  map,
  merge,
  of,
  retry,
  share,
  shareReplay,
  startWith,
  switchMap,
  take,
  takeLast,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Job } from 'runpod-rx';
import { script, statuses, world, type Answer, type World } from '../support/world.js';
import { asked, expectSilence, look, starting, timers } from './support.js';

const input = { ms: 20_000 };
const output = { echo: input };

describe('one job for all subscribers', () => {
  type Consumer = (job: Job, world: World) => Observable<unknown>;
  const consumers: Record<string, Consumer> = {
    output$: (job) => job.output$,
    'take(1) of output$': (job) => job.output$.pipe(take(1)),
    'concat(id$, output$)': (job) => concat(job.id$.pipe(ignoreElements()), job.output$),
    'id$, then output$ of the same': (job) => job.id$.pipe(switchMap(() => job.output$)),
    'id$, a slow step, then output$': (job, { scheduler }) =>
      job.id$.pipe(
        delay(3_000, scheduler),
        concatMap(() => job.output$),
      ),
    'id$, a step slower than the job, then output$': (job, { scheduler }) =>
      job.id$.pipe(
        delay(60_000, scheduler),
        concatMap(() => job.output$),
      ),
    'async pipes in pairs': (job) =>
      forkJoin([
        job.state$.pipe(startWith(null), takeLast(1)),
        job.state$.pipe(startWith(null), takeLast(1)),
        job.output$,
        job.output$,
      ]).pipe(map((all) => all[3])),
    'all views at once': (job) =>
      merge(job.id$, job.events$, job.state$, job.progress$, job.output$).pipe(ignoreElements(), (all$) =>
        concat(all$, job.output$),
      ),
    'each view after the other, the last one first': (job) =>
      concat(job.output$, job.progress$, job.state$, job.events$, job.id$).pipe(take(1)),
    'shareReplay(1)': (job) => {
      const shared$ = job.output$.pipe(shareReplay(1));
      return forkJoin([shared$, shared$]).pipe(switchMap(() => shared$));
    },
    'shareReplay with a count of references': (job) => {
      const shared$ = job.output$.pipe(shareReplay({ bufferSize: 1, refCount: true }));
      return forkJoin([shared$, shared$]).pipe(switchMap(() => shared$));
    },
    'share, which resets': (job) => {
      const shared$ = job.output$.pipe(share());
      return concat(shared$.pipe(ignoreElements()), shared$.pipe(ignoreElements()), shared$);
    },
    'a signal that begins late': (job, { scheduler }) => {
      const signal$ = new BehaviorSubject<unknown>(undefined);
      return merge(
        job.state$.pipe(ignoreElements()),
        timer(7_000, scheduler).pipe(
          switchMap(() => job.output$),
          tap((value) => {
            signal$.next(value);
          }),
          map(() => signal$.value),
        ),
      );
    },
    'retry()': (job) => job.output$.pipe(retry()),
    'retry({ delay })': (job) => job.output$.pipe(retry({ delay: 1_000 })),
    'subscribed to from within its own events': (job) =>
      job.events$.pipe(
        concatMap(({ type }) => (type === 'ended' ? job.output$ : of(undefined))),
        takeLast(1),
      ),
    'subscribed to in answer to each snapshot': (job) =>
      job.state$.pipe(
        switchMap(() => job.output$),
        take(1),
      ),
  };

  test.each(Object.entries(consumers))('S4 %s: one submission, one poll, and no cancel', (_, consume) => {
    for (const latency of [0, 100]) {
      const made = world({ latency });
      const { endpoint, emulator, see, until, wire } = made;
      const job = endpoint.job({ input }, { every: 2_000 });
      const seen = see(consume(job, made));
      until(200_000);
      expect(seen.error).toBeUndefined();
      expect(seen.values.at(-1)).toEqual(output);
      expect(seen.ended).toBeDefined();
      const { status = 0, ...others } = asked(made);
      expect(others).toEqual({ run: 1 });
      // Twenty seconds, one read every two seconds, however many subscribers there are.
      expect(status).toBeLessThanOrEqual(12);
      expect(new Set(wire('status')).size).toBe(status);
      expect(emulator.jobs()).toMatchObject([{ status: 'COMPLETED', cancelRequests: 0 }]);
      expectSilence(made);
    }
  });

  test('S4 promises, one after the other', async () => {
    const made = world({ latency: 100 });
    const { endpoint, until } = made;
    const job = endpoint.job({ input });
    const id = firstValueFrom(job.id$);
    until(1_000);
    expect(await id).toBe(made.emulator.jobs()[0]!.id);
    until(9_000);
    // There were no subscribers meanwhile.
    expect(asked(made)).toEqual({ run: 1 });
    const first = firstValueFrom(job.output$);
    until(30_000);
    expect(await first).toEqual(output);
    expect(await firstValueFrom(job.output$)).toEqual(output);
    expect(await lastValueFrom(job.state$)).toMatchObject({ status: 'COMPLETED' });
    expect(await firstValueFrom(job.id$)).toBe(made.emulator.jobs()[0]!.id);
    expect(asked(made)).toMatchObject({ run: 1 });
    expect(asked(made)).not.toHaveProperty('cancel');
  });

  test('a job is submitted when it is first subscribed to, not when it is made', () => {
    const made = world();
    const { endpoint, see, until } = made;
    const job = endpoint.job({ input });
    see(job.diagnosis$);
    until(10_000);
    expect(asked(made)).toEqual({});
    expect(timers(made)).toBe(0);
    see(job.output$);
    expect(asked(made)).toMatchObject({ run: 1 });
  });

  test.each(starting)('%s starts the job', (name) => {
    const made = world();
    const job = made.endpoint.job({ input });
    made.see<unknown>(job[name]);
    expect(asked(made)).toMatchObject({ run: 1 });
  });

  test('jobs made of the same request are separate jobs', () => {
    const made = world();
    const request = { input };
    made.see(made.endpoint.job(request).output$);
    made.see(made.endpoint.job(request).output$);
    made.until(50_000);
    expect(made.emulator.jobs()).toHaveLength(2);
  });

  test('any number of subscriptions cost no more requests than one', () => {
    const count = (subscriptions: number) => {
      const made = world({ latency: 100 });
      const job = made.endpoint.job({ input });
      for (let n = 0; n < subscriptions; n++) {
        made.at(n * 150, () => {
          look(made, job, 'events$', 'state$', 'progress$', 'output$', 'id$');
        });
      }
      made.until(100_000);
      return asked(made);
    };
    expect(count(100)).toEqual(count(1));
  });

  test('unsubscribing has no effect on other subscribers', () => {
    const made = world({ latency: 100 });
    const { endpoint, at, until } = made;
    const job = endpoint.job({ input }, { every: 2_000 });
    const stays = made.see(job.state$);
    for (let ms = 0; ms < 20_000; ms += 130) {
      const { subscription } = made.see(ms % 260 ? job.output$ : job.events$);
      at(ms, () => {
        subscription.unsubscribe();
      });
    }
    until(100_000);
    expect(statuses(stays)).toEqual(['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED']);
    expect(asked(made)).toMatchObject({ run: 1 });
    expect(asked(made)).not.toHaveProperty('cancel');
    expect(made.emulator.requests().filter(({ aborted }) => aborted)).toEqual([]);
  });

  test('a subscriber that joins within next gets every event once', () => {
    const made = world({ latency: 100 });
    const job = made.endpoint.job({ input }, { every: 2_000 });
    const late = new Subject<string>();
    const types: string[] = [];
    late.subscribe((type) => types.push(type));
    let joined = false;
    made.see(
      job.events$.pipe(
        tap(() => {
          if (joined) return;
          joined = true;
          job.events$.pipe(map(({ type }) => type)).subscribe(late);
        }),
      ),
    );
    made.until(100_000);
    expect(types).toEqual(['submitted', 'state', 'state', 'state', 'ended']);
  });
});

describe('a late subscriber', () => {
  /** A job that updates its progress after 5 and 10 s, streams three chunks, and is over after 20 s. */
  const lively: Partial<Parameters<typeof world>[0]> = {
    latency: 100,
    endpoints: {
      demo: {
        aggregate: true,
        handler: (_, context) =>
          concat(
            context.delay(5_000).pipe(
              map(() => {
                context.progress('a third');
                return 'one';
              }),
            ),
            context.delay(5_000).pipe(
              map(() => {
                context.progress('two thirds');
                return 'two';
              }),
            ),
            context.delay(10_000).pipe(map(() => 'three')),
          ),
      },
    },
  };

  test('gets the latest of every view, and the rest as it comes', () => {
    const made = world(lively);
    const job = made.endpoint.job({ input: { x: 1 } }, { every: 1_000, stream: true });
    made.see(job.events$);
    made.until(12_000);
    const { id } = made.emulator.jobs()[0]!;
    const late = look(made, job, ...starting);
    // Synchronously, since it is known already.
    expect(late.id$).toMatchObject({ values: [id], ended: 12_000 });
    expect(late.state$.values).toMatchObject([{ status: 'IN_PROGRESS', progress: 'two thirds' }]);
    expect(late.progress$.values).toEqual(['two thirds']);
    expect(late.chunks$.values).toEqual(['one', 'two']);
    expect(late.output$.values).toEqual([]);
    expect(late.events$.values).toMatchObject([
      { type: 'submitted', id },
      { type: 'state', snapshot: { status: 'IN_PROGRESS' } },
      { type: 'progress', progress: 'two thirds' },
      { type: 'chunk', chunk: 'one' },
      { type: 'chunk', chunk: 'two' },
    ]);
    made.until(60_000);
    expect(late.state$.values).toMatchObject([{}, { status: 'COMPLETED' }]);
    expect(late.progress$.values).toEqual(['two thirds']);
    expect(late.chunks$.values).toEqual(['one', 'two', 'three']);
    expect(late.output$.values).toEqual([['one', 'two', 'three']]);
    expect(late.events$.values.map((event) => (event as { type: string }).type)).toEqual([
      ...['submitted', 'state', 'progress', 'chunk', 'chunk'],
      ...['chunk', 'state', 'ended'],
    ]);
    for (const name of starting) expect(late[name].ended).toBeDefined();
    expect(asked(made)).toMatchObject({ run: 1 });
    expectSilence(made);
  });

  test('after the end gets the end of every view at once, without a request', () => {
    const made = world(lively);
    const job = made.endpoint.job({ input: { x: 1 } }, { every: 1_000, stream: true });
    const first = look(made, job, 'events$', 'chunks$');
    made.until(60_000);
    const before = asked(made);
    const late = look(made, job, ...starting);
    for (const name of starting) expect(late[name].ended).toBe(60_000);
    expect(late.id$.values).toEqual([made.emulator.jobs()[0]!.id]);
    expect(late.state$.values).toMatchObject([{ status: 'COMPLETED' }]);
    expect(late.chunks$.values).toEqual(first.chunks$.values);
    expect(late.output$.values).toEqual([['one', 'two', 'three']]);
    expect(late.events$.values.at(-1)).toEqual(first.events$.values.at(-1));
    expect(asked(made)).toEqual(before);
    expectSilence(made);
  });

  test('gets the latest progress first, and no earlier one', () => {
    const made = world(lively);
    const job = made.endpoint.job({ input: { x: 1 } }, { every: 1_000 });
    const first = made.see(job.progress$);
    made.until(11_000);
    const late = made.see(job.progress$);
    made.until(60_000);
    expect(first.values).toEqual(['a third', 'two thirds']);
    expect(late.values).toEqual(['two thirds']);
  });

  test('to a failed job gets its error asynchronously; its state is data', () => {
    const made = world({
      endpoints: {
        demo: {
          handler: () => {
            throw new Error('no such prompt');
          },
        },
      },
    });
    const job = made.endpoint.job({ input });
    const first = look(made, job, 'output$', 'state$');
    made.until(10_000);
    const before = asked(made);
    const late = look(made, job, 'output$', 'state$', 'events$', 'id$');
    expect(late.output$.error).toBeUndefined();
    made.until(10_000);
    expect(late.output$).toMatchObject({ error: { code: 'job_failed', jobId: made.emulator.jobs()[0]!.id } });
    expect(late.output$.error).toMatchObject({ snapshot: first.state$.values.at(-1) });
    expect(late.state$.values).toMatchObject([{ status: 'FAILED' }]);
    expect(late.state$.error).toBeUndefined();
    expect(late.events$.values.at(-1)).toMatchObject({ type: 'ended', snapshot: { status: 'FAILED' } });
    expect(late.id$.values).toEqual([made.emulator.jobs()[0]!.id]);
    expect(asked(made)).toEqual(before);
    expect(asked(made)).not.toHaveProperty('cancel');
  });
});

describe('without subscribers', () => {
  test('S13 after id$ alone there is no request and no timer', () => {
    const made = world({ latency: 100 });
    const job = made.endpoint.job({ input });
    const id = made.see(job.id$);
    made.until(1_000);
    expect(id.ended).toBe(100);
    expect(asked(made)).toEqual({ run: 1 });
    expectSilence(made);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'COMPLETED', cancelRequests: 0 }]);
  });

  test.each(starting)('S13 after %s of a job that may go on, there is no request and no timer', (name) => {
    for (const onUnsubscribe of ['cancel', 'detach'] as const) {
      const made = script(({ operation }) => ({
        body: { id: 'job-1', status: operation === 'cancel' ? 'CANCELLED' : 'IN_PROGRESS', stream: [] },
        after: 100,
      }));
      const job = made.endpoint.job({ input }, { onUnsubscribe, timeout: 60_000, grace: 500 });
      const { subscription } = made.see<unknown>(job[name]);
      made.until(5_050);
      if (name !== 'id$') expect(timers(made)).toBeGreaterThan(0);
      subscription.unsubscribe();
      made.until(10_000);
      expectSilence(made);
      const cancels = onUnsubscribe === 'cancel' && name !== 'id$' ? { cancel: 1 } : {};
      const { status, 'status-sync': held, stream, ...others } = asked(made);
      expect(others).toEqual({ run: 1, ...cancels });
      expect(!!(status ?? held)).toBe(name !== 'id$');
      expect(!!stream).toBe(name === 'chunks$');
    }
  });

  test('S13 the read in flight is aborted when the last subscriber unsubscribes', () => {
    const made = world({ latency: 100 });
    const job = made.endpoint.job({ input }, { onUnsubscribe: 'detach', every: 1_000 });
    const one = made.see(job.state$);
    const other = made.see(job.output$);
    made.at(1_250, () => {
      one.subscription.unsubscribe();
    });
    made.at(1_260, () => {
      other.subscription.unsubscribe();
    });
    made.until(50_000);
    expect(made.wire('status')).toEqual(['100-200 status 200', '1200-1260 status aborted']);
  });
});

describe('S7 a job and its endpoint', () => {
  test('share one poll, at the faster pace of both', () => {
    const made = world({ latency: 100 });
    const { endpoint, see, until } = made;
    const job = endpoint.job({ input }, { every: 4_000 });
    const state = see(job.state$);
    until(150);
    const { id } = made.emulator.jobs()[0]!;
    const watch = see(endpoint.watch(id, { every: 4_000 }));
    const status = see(endpoint.status(id));
    until(100_000);
    expect(statuses(state)).toEqual(['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED']);
    expect(statuses(watch)).toEqual(['IN_PROGRESS', 'COMPLETED']);
    expect(statuses(status)).toEqual(['IN_PROGRESS']);
    expect(made.wire('status').map((line) => line.split('-')[0])).toEqual([
      '100',
      '4200',
      '8300',
      '12400',
      '16500',
      '20600',
    ]);
  });

  test('a slowly polled job gets the answers of a watcher that polls more often', () => {
    const made = world({ latency: 100 });
    const { endpoint, see, until } = made;
    const result = see(endpoint.job({ input }, { every: 300_000 }).output$);
    until(150);
    see(endpoint.watch(made.emulator.jobs()[0]!.id, { every: 1_000 }));
    until(1_000_000);
    expect(result.values).toEqual([output]);
    expect(result.ended).toBeLessThan(22_000);
    expect(asked(made).status).toBeLessThan(22);
  });

  test('unsubscribing from one has no effect on the other', () => {
    const made = world({ latency: 100 });
    const { endpoint, see, until } = made;
    const job = endpoint.job({ input }, { onUnsubscribe: 'detach', every: 1_000 });
    const state = see(job.state$);
    until(150);
    const watch = see(endpoint.watch(made.emulator.jobs()[0]!.id, { every: 1_000 }));
    until(1_250);
    state.subscription.unsubscribe();
    until(100_000);
    expect(statuses(watch)).toEqual(['IN_PROGRESS', 'COMPLETED']);
    expect(made.emulator.requests().filter(({ aborted }) => aborted)).toEqual([]);
  });

  test('attaching twice to one job costs one poll', () => {
    const made = world({ latency: 100 });
    const { endpoint, see, until } = made;
    see(endpoint.run({ input }));
    until(1_000);
    const { id } = made.emulator.jobs()[0]!;
    const seen = [1, 2, 3].map(() => see(endpoint.attach(id, { every: 5_000 }).output$));
    until(100_000);
    for (const { values } of seen) expect(values).toEqual([output]);
    expect(asked(made)).toEqual({ run: 1, status: 5 });
  });

  test('a job is read at once after endpoint.cancel()', () => {
    const made = world({ latency: 100 });
    const { endpoint, see, until } = made;
    const job = endpoint.job({ input }, { every: 60_000 });
    const state = see(job.state$);
    const result = see(job.output$);
    until(1_000);
    see(endpoint.cancel(made.emulator.jobs()[0]!.id));
    until(2_000);
    expect(statuses(state)).toEqual(['IN_QUEUE', 'IN_PROGRESS', 'CANCELLED']);
    expect(result.error).toMatchObject({ code: 'job_cancelled' });
    expect(asked(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('S26 a notice has the job read at once, and ends nothing', () => {
    const notices = new Subject<unknown>();
    const made = world({ latency: 100 }, { notices });
    const job = made.endpoint.job({ input: { ms: 3_000 } }, { every: 60_000 });
    const result = made.see(job.output$);
    made.until(2_000);
    const { id } = made.emulator.jobs()[0]!;
    notices.next({ id, status: 'COMPLETED', output: 'forged' });
    made.until(5_000);
    expect(result.ended).toBeUndefined();
    notices.next({ id });
    made.until(5_100);
    expect(result).toMatchObject({ values: [{ echo: { ms: 3_000 } }], ended: 5_100 });
    expect(asked(made)).toEqual({ run: 1, status: 3 });
    expectSilence(made);
  });
});

describe('S22 a bare retry()', () => {
  const queued = { id: 'job-1', status: 'IN_QUEUE' };
  const bad: Record<string, { answer: (operation: string) => Answer; code: string }> = {
    'a submission that is refused': { answer: () => ({ status: 400, body: { error: 'no' } }), code: 'http' },
    'a submission that is lost': { answer: () => ({ phase: 'sent' }), code: 'submission_unknown' },
    'a submission without an id': { answer: () => ({ body: { status: 'IN_QUEUE' } }), code: 'submission_unknown' },
    'a read that is refused': {
      answer: (operation) => (operation === 'run' ? { body: queued } : { status: 401 }),
      code: 'authentication',
    },
    'a job that failed': {
      answer: (operation) => ({ body: operation === 'run' ? queued : { ...queued, status: 'FAILED', error: 'bad' } }),
      code: 'job_failed',
    },
    'a job that failed at once': {
      answer: () => ({ body: { ...queued, status: 'FAILED', error: 'bad' } }),
      code: 'job_failed',
    },
    'a job that is gone': {
      answer: (operation) => (operation === 'run' ? { body: queued } : { status: 404 }),
      code: 'job_expired',
    },
  };
  const slow = (answer: Answer, after: number): Answer =>
    after && typeof answer === 'object' && !('phase' in answer) ? { ...answer, after } : answer;

  describe.each(Object.entries(bad))('around %s', (_, { answer, code }) => {
    test.each([0, 10])('does not call itself without end, and submits once: answered after %i ms', (after) => {
      const made = script(({ operation }) => slow(answer(operation), after), { retry: false, limits: false });
      const job = made.endpoint.job({ input });
      let rounds = 0;
      const errors = new Set<unknown>();
      made.see(
        defer(() => (++rounds > 500 ? NEVER : job.output$)).pipe(
          tap({ error: (error: { code: unknown }) => errors.add(error.code) }),
          retry(),
        ),
      );
      // Each retry runs on a new stack, however soon the answers come; an end that has just come is emitted.
      expect(rounds).toBeLessThanOrEqual(code === 'job_failed' ? 2 : 1);
      made.until(10_000_000);
      expect(rounds).toBe(501);
      expect([...errors]).toEqual([code]);
      expect(asked(made)).toMatchObject({ run: 1 });
      expect(asked(made)).not.toHaveProperty('cancel');
      expectSilence(made);
    });
  });

  test.each(starting)('around %s: every view of a submission that failed errors, later each time', (name) => {
    const made = script(() => ({ status: 400, body: { error: 'no' } }));
    const job = made.endpoint.job({ input });
    const order: string[] = [];
    const subscribe = () =>
      job[name].subscribe({
        error: ({ code }: { code: string }) => order.push(code),
        complete: () => order.push('over'),
      });
    subscribe();
    order.push('subscribed');
    made.until(1_000);
    subscribe();
    order.push('subscribed');
    made.until(1_000);
    expect(order).toEqual(['subscribed', 'http', 'subscribed', 'http']);
    expect(asked(made)).toEqual({ run: 1 });
  });

  test('S4 around reads that fail goes on with the same job, to its end', () => {
    let reads = 0;
    const made = script(({ operation }) => {
      if (operation === 'run') return { body: queued };
      return ++reads < 6 ? { status: 401 } : { body: { ...queued, status: 'COMPLETED', output: 7 } };
    });
    const job = made.endpoint.job({ input });
    const seen = made.see(job.output$.pipe(retry({ delay: () => timer(1_000, made.scheduler) })));
    made.until(100_000);
    expect(seen.values).toEqual([7]);
    expect(asked(made)).toEqual({ run: 1, status: 6 });
  });
});
