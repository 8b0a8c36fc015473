import { Subject, Subscription, filter, retry, tap, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { ClientOptions, Job, JobOptions, SettleReport } from 'runpod-rx';
import { script, statuses, type Script, type Seen } from '../support/world.js';
import { expectSilence, look, nothing, owning, settled } from './support.js';
import { tally } from './support/acting.js';
import { running, says } from './support/says.js';

const input = { ms: 20_000 };

/** A job that runs until it is cancelled; each answer takes `after` milliseconds. */
const service = (after: number, options: Parameters<typeof script>[1] = {}): Script =>
  script(({ operation }) => says(running(operation), {}, after), options);

/** A job that is over when it is first read; each answer takes `after` milliseconds. */
const quick = (after: number): Script =>
  script(({ operation }) => says(operation === 'run' ? 'IN_QUEUE' : 'COMPLETED', { output: 'done' }, after));

type Stop = (job: Job, controller: AbortController, made: Script) => unknown;

/** What stops a job. */
const stops: [string, Stop][] = [
  ['cancel()', (job) => job.cancel()],
  [
    'its signal',
    (_, controller) => {
      controller.abort('no');
    },
  ],
  ['close()', (_, __, { client, see }) => see(client.close())],
];

describe('S5 a stop before the request is sent keeps it from being sent', () => {
  test('cancel() within beforeSubmit: nothing is sent', () => {
    const made = service(100);
    const job: Job = made.endpoint.job(
      { input },
      {
        beforeSubmit: (request) => {
          job.cancel();
          return [request];
        },
      },
    );
    const seen = made.see(job.state$);
    made.until(60_000);
    expect(made.sent).toEqual([]);
    expect(seen.error).toMatchObject({ code: 'aborted', accepted: 'no' });
  });

  test.each(stops)('%s at the event submitting: nothing is sent', (_, stop) => {
    const made = service(100);
    const controller = new AbortController();
    const job = made.endpoint.job({ input }, { signal: controller.signal });
    const sentBefore: number[] = [];
    const errors: unknown[] = [];
    job.events$.subscribe({
      next: ({ type }) => {
        if (type !== 'submitting') return;
        sentBefore.push(made.sent.length);
        stop(job, controller, made);
      },
      error: (error: unknown) => errors.push(error),
    });
    made.until(60_000);
    expect(sentBefore).toEqual([0]);
    expect(made.sent).toEqual([]);
    expect(errors).toHaveLength(1);
    expect(settled(made)).toEqual(nothing);
    expectSilence(made);
  });

  const within: [string, (stop: () => void) => { job?: JobOptions; client?: Partial<ClientOptions> }][] = [
    [
      'beforeSend',
      (stop) => ({
        job: {
          beforeSend: () => {
            stop();
            return [];
          },
        },
      }),
    ],
    [
      'the function for the key',
      (stop) => ({
        client: {
          apiKey: () => {
            stop();
            return 'key';
          },
        },
      }),
    ],
    [
      'a link',
      (stop) => ({
        client: {
          links: [
            (request, next) => {
              stop();
              return next(request);
            },
          ],
        },
      }),
    ],
  ];
  test.each(within.flatMap(([where, given]) => stops.map(([what, stop]) => ({ what, where, given, stop }))))(
    '$what within $where: nothing is sent',
    ({ given, stop }) => {
      const controller = new AbortController();
      let isStopped = false;
      const options = given(() => {
        if (!isStopped) stop(job, controller, made);
        isStopped = true;
      });
      const made = service(100, options.client);
      const job: Job = made.endpoint.job({ input }, { signal: controller.signal, ...options.job });
      const seen = made.see(job.output$);
      made.until(60_000);
      expect(made.sent).toEqual([]);
      expect(seen.error).toMatchObject({ accepted: 'no' });
      expectSilence(made);
    },
  );
});

describe('S6 a report that is asked for within a job’s own event waits for the job', () => {
  test.each<[string, (made: Script, leave: () => void) => Observable<SettleReport>]>([
    ['close()', ({ client }) => client.close()],
    [
      'unsubscribing, and settled()',
      ({ client }, leave) => {
        leave();
        return client.settled();
      },
    ],
  ])('%s', (_, end) => {
    const made = service(100);
    const left = new Subscription();
    let report: Seen<SettleReport> | undefined;
    const atStart = made.endpoint.job({ input }).state$.pipe(
      filter(({ status }) => status === 'IN_PROGRESS'),
      tap(() => {
        report ??= made.see(
          end(made, () => {
            left.unsubscribe();
          }),
        );
      }),
    );
    left.add(made.see(atStart).subscription);
    made.until(60_000);
    expect(report).toMatchObject({ values: [{ cancelled: [{ id: 'job-1' }] }] });
    expect(tally(made).cancel).toBe(1);
  });
});

describe('during the replay to a new view', () => {
  test('S7 the job ends, by a read of another caller: the view gets the end and completes', () => {
    let over = false;
    const made = script(({ operation }) => says(over ? 'COMPLETED' : running(operation)));
    const job = made.endpoint.job({ input });
    const first = made.see(job.state$);
    made.until(5_000);
    const seen = made.see(
      job.state$.pipe(
        tap(({ status }) => {
          if (status !== 'IN_PROGRESS') return;
          over = true;
          made.endpoint.status('job-1').subscribe();
        }),
      ),
    );
    made.until(10_000);
    expect(first.ended).toBe(5_000);
    expect([statuses(seen), seen.ended]).toEqual([['IN_PROGRESS', 'COMPLETED'], 5_000]);
  });

  test('detach(): the view completes as all others do', () => {
    const made = service(100);
    const job = made.endpoint.job({ input });
    const first = made.see(job.state$);
    made.until(5_000);
    const seen = made.see(job.state$.pipe(tap(() => job.detach())));
    made.until(6_000);
    expect([first.ended, seen.ended]).toEqual([5_000, 5_000]);
    expectSilence(made);
  });

  test('S4 cancel(): the view gets the end, and the job is cancelled once', () => {
    const made = service(100);
    const job = made.endpoint.job({ input });
    made.see(job.state$);
    made.until(5_000);
    const seen = made.see(job.state$.pipe(tap(() => job.cancel())));
    made.until(10_000);
    expect([statuses(seen), seen.ended]).toEqual([['IN_PROGRESS', 'CANCELLED'], 5_100]);
    expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
  });
});

describe('S22 an error comes a macrotask after its cause', () => {
  test('after cancel() before anything was sent, too', () => {
    const made = service(100);
    const job = made.endpoint.job({ input }, { beforeSubmit: () => new Subject() });
    const seen = made.see(job.state$);
    made.until(1_000);
    const report = made.see(job.cancel());
    expect([seen.error, report.error]).toEqual([undefined, undefined]);
    made.until(1_001);
    for (const { error } of [seen, report]) expect(error).toMatchObject({ code: 'aborted', accepted: 'no' });
  });

  test('S4 a signal stops the job once: retry() goes on with the same job', () => {
    const controller = new AbortController();
    const made = service(100);
    let errors = 0;
    const seen = made.see(
      made.endpoint.attach('job-1', { signal: controller.signal }).state$.pipe(
        retry({
          delay: () => {
            errors++;
            return [undefined];
          },
        }),
      ),
    );
    made.until(1_000);
    controller.abort();
    made.until(20_000);
    expect(errors).toBe(1);
    expect(seen.ended).toBeUndefined();
    expect(tally(made).status).toBeGreaterThan(3);
    expect(tally(made).cancel).toBeUndefined();
  });
});

describe('everything at once', () => {
  test('S4 S7 with answers given synchronously: one submission, one read, and every view to its end', () => {
    const made = quick(0);
    const views = look(made, made.endpoint.job({ input }), 'events$', 'state$', 'progress$', 'output$', 'id$');
    made.until(10_000);
    expect(Object.values(views).map(({ error }) => error)).toEqual(Array(5).fill(undefined));
    expect(Object.values(views).filter(({ ended }) => ended === undefined)).toEqual([]);
    expect(made.sent.map(({ operation }) => operation)).toEqual(['run', 'status']);
  });

  test.each<[string, readonly number[]]>([
    ['in the order they came', [0, 1, 2, 3, 4]],
    ['the last first', [4, 3, 2, 1, 0]],
    ['in any order', [2, 0, 4, 1, 3]],
  ])('S4 five views unsubscribed from in one turn, %s: one cancel', (_, order) => {
    const made = script(({ operation }) => (operation === 'stream' ? 'never' : says(running(operation), {}, 100)));
    const views = Object.values<Seen<unknown>>(look(made, made.endpoint.job({ input }), ...owning));
    made.until(5_000);
    for (const n of order) views[n]!.subscription.unsubscribe();
    made.until(100_000);
    expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('S6 S23 an urgent cancel that is made in answer to a delayed cancel has its turn', () => {
    const made = script(
      ({ operation, url }) => ({
        body: { id: url.split('/').at(-1), status: operation === 'cancel' ? 'CANCELLED' : 'IN_PROGRESS' },
      }),
      { limits: { cancel: { requests: 1, per: 1_000 } } },
    );
    const job = made.endpoint.attach('job-b');
    const seen = made.see(job.state$);
    made.until(1_000);
    made.see(made.endpoint.cancel('job-c'));
    made.endpoint.cancel('job-a').subscribe(() => job.cancel());
    made.until(10_000);
    const cancelled = made.sent
      .filter(({ operation }) => operation === 'cancel')
      .map(({ url }) => url.split('/').at(-1));
    expect(cancelled).toEqual(['job-c', 'job-a', 'job-b']);
    expect(statuses(seen)).toEqual(['IN_PROGRESS', 'CANCELLED']);
  });
});

describe('a subscriber within next', () => {
  test('S7 that throws has no effect on other subscribers, and does not cancel the job', () => {
    const made = script(({ operation }, nth) =>
      says(operation === 'run' ? 'IN_QUEUE' : nth > 4 ? 'COMPLETED' : 'IN_PROGRESS', { output: 1 }, 100),
    );
    const job = made.endpoint.job({ input });
    const mine = new Error('mine');
    const bad = made.see(
      job.state$.pipe(
        tap(({ status }) => {
          if (status === 'IN_PROGRESS') throw mine;
        }),
      ),
    );
    const good = made.see(job.output$);
    made.until(60_000);
    expect(bad.error).toBe(mine);
    expect(good.values).toEqual([1]);
    expect(tally(made).cancel).toBeUndefined();
  });

  test('S4 that calls cancel() and unsubscribes at the end: nothing is cancelled', () => {
    const made = quick(100);
    const job = made.endpoint.job({ input });
    const seen = made.see(
      job.events$.pipe(
        tap((event) => {
          if (event.type !== 'state' || event.snapshot.status !== 'COMPLETED') return;
          job.cancel();
          seen.subscription.unsubscribe();
        }),
      ),
    );
    made.until(60_000);
    expect(seen.subscription.closed).toBe(true);
    expect(tally(made)).toEqual({ run: 1, status: 1 });
  });
});
