import { BehaviorSubject, Subject, takeUntil } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { failover, hedge, runAll, type JobSnapshot, type PipelineItem } from 'runpod-rx';
import type { EmulatedEndpoint } from 'runpod-rx/testing';
import { script, world } from '../support/world.js';

const requests = (count: number, ms = 3_000) => Array.from({ length: count }, (_, n) => ({ input: { ms, n } }));

/** How many submissions were made, how many jobs were cancelled, and for how many a cancel was asked. */
const ledger = ({ emulator }: ReturnType<typeof world>) => ({
  submitted: emulator.requests().filter(({ operation }) => operation === 'run').length,
  cancelled: emulator.jobs().filter(({ status }) => status === 'CANCELLED').length,
  asked: emulator.jobs().filter(({ cancelRequests }) => cancelRequests > 0).length,
});

const failures = (items: readonly PipelineItem[]) =>
  items.flatMap((item) => (item.ok ? [] : [{ index: item.index, code: (item.error as { code: string }).code }]));

describe('runToEnd', () => {
  test('submits by /run, watches to the end, and cancels nothing', () => {
    const here = world({ latency: 100 });
    const seen = here.see(here.endpoint.runToEnd({ input: { ms: 3_000 } }));
    here.until(60_000);
    expect(seen.values.map(({ status }) => status)).toMatchObject(['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED']);
    expect(seen.ended).toBeDefined();
    expect(ledger(here)).toEqual({ submitted: 1, cancelled: 0, asked: 0 });
  });

  test('S4 S5 S6 unsubscribed at any moment, the job is cancelled or was never submitted, and settled() reports it', () => {
    for (let at = 0; at < 5_000; at += 50) {
      const here = world({ latency: 100 });
      const seen = here.see(here.endpoint.runToEnd({ input: { ms: 3_000 } }));
      here.until(at);
      const ended = seen.ended !== undefined;
      seen.subscription.unsubscribe();
      const report = here.see(here.client.settled());
      here.until(60_000);
      const [job] = here.emulator.jobs();
      const { cancelled = [], finished = [] } = report.values[0] ?? {};
      expect([at, cancelled.length + finished.length]).toEqual([at, ended ? 0 : 1]);
      expect([at, job?.status]).toEqual([at, at < 3_000 ? 'CANCELLED' : 'COMPLETED']);
    }
  });

  test('S4 close() cancels its job', () => {
    const here = world({ latency: 100 });
    const seen = here.see(here.endpoint.runToEnd({ input: { ms: 30_000 } }));
    here.until(5_000);
    const report = here.see(here.client.close());
    here.until(60_000);
    expect(seen.error).toMatchObject({ code: 'client_closed' });
    expect(report.values).toMatchObject([{ cancelled: [{ id: here.emulator.jobs()[0]!.id }] }]);
  });

  test('S4 its timeout cancels its job', () => {
    const here = world({ latency: 100 });
    const seen = here.see(here.endpoint.runToEnd({ input: { ms: 30_000 } }, { timeout: 5_000 }));
    here.until(60_000);
    expect(seen).toMatchObject({ ended: 5_000, error: { code: 'request_timeout', accepted: 'unknown' } });
    expect(ledger(here)).toEqual({ submitted: 1, cancelled: 1, asked: 1 });
  });

  test('S3 S4 an error of reading names the job and its ref, and does not cancel the job', () => {
    const here = script(({ operation }) =>
      operation === 'run' ? { body: { id: 'a', status: 'IN_QUEUE' } } : { status: 401 },
    );
    const seen = here.see(here.endpoint.runToEnd({ input: { a: 1 } }));
    here.until(60_000);
    expect(seen.error).toMatchObject({
      code: 'authentication',
      jobId: 'a',
      accepted: 'unknown',
      retryable: false,
      ref: { v: 1, endpointId: 'demo', id: 'a' },
    });
    expect(here.sent.map(({ operation }) => operation)).toEqual(['run', 'status']);
  });

  test('S1 an error after an outage is not retryable, because running the job again pays again', () => {
    const here = script(({ operation }) =>
      operation === 'run' ? { body: { id: 'a', status: 'IN_QUEUE' } } : { status: 503 },
    );
    const seen = here.see(here.endpoint.runToEnd({ input: { a: 1 } }, { outage: 10_000 }));
    here.until(60_000);
    expect(seen.error).toMatchObject({ code: 'http', status: 503, jobId: 'a', retryable: false });
  });

  test('S4 unsubscribed while a read of its job is answered with an error, it cancels the job', () => {
    const stop$ = new Subject<void>();
    const here = script(({ operation }) => {
      if (operation === 'runsync') return { body: { id: 'a', status: 'IN_QUEUE' } };
      if (operation === 'cancel') return { body: { id: 'a', status: 'CANCELLED' } };
      stop$.next();
      return { status: 401 };
    });
    here.see(here.endpoint.runSync({ input: { a: 1 } }).pipe(takeUntil(stop$)));
    here.until(60_000);
    expect(here.sent.map(({ operation }) => operation)).toEqual(['runsync', 'status', 'cancel']);
  });
});

describe('runAll on an endpoint', () => {
  test('S24 submits each input once, and never more than the concurrency at a time', () => {
    const here = world();
    const most = { inFlight: 0 };
    const totals = new BehaviorSubject({ inFlight: 0 });
    totals.subscribe(({ inFlight }) => (most.inFlight = Math.max(most.inFlight, inFlight)));
    const seen = here.see(runAll(here.endpoint, requests(50), { concurrency: 7, totals, scheduler: here.scheduler }));
    here.until(600_000);
    expect(seen.values.filter(({ ok }) => ok)).toHaveLength(50);
    expect(seen.ended).toBeDefined();
    expect(most.inFlight).toBe(7);
    expect(ledger(here)).toEqual({ submitted: 50, cancelled: 0, asked: 0 });
  });

  test('S24 unsubscribing cancels all jobs in flight, and settled() reports them', () => {
    const here = world({ latency: 100 });
    const { subscription } = here.see(runAll(here.endpoint, requests(50, 60_000), { concurrency: 5 }));
    here.until(2_000);
    subscription.unsubscribe();
    const report = here.see(here.client.settled());
    here.until(120_000);
    expect(report.values[0]?.cancelled).toHaveLength(5);
    expect(ledger(here)).toEqual({ submitted: 5, cancelled: 5, asked: 5 });
  });

  test('S24 an input that fails validation is a failed item, and the rest goes on', () => {
    const here = world();
    const inputs = [{ input: { n: 1 } }, { input: {} }, null as never, { input: { n: 4 } }];
    const seen = here.see(runAll(here.endpoint, inputs));
    here.until(60_000);
    expect(failures(seen.values)).toEqual([
      { index: 1, code: 'validation' },
      { index: 2, code: 'validation' },
    ]);
    expect(ledger(here).submitted).toBe(2);
  });

  test('S24 after a 401 midway, the items in flight carry a ref, and onError: stop submits nothing more', () => {
    let refuse = false;
    const here = script(({ operation, url }, nth) => {
      if (refuse) return { status: 401 };
      return operation === 'run'
        ? { body: { id: `j${nth}`, status: 'IN_QUEUE' } }
        : { body: { id: url.split('/').at(-1), status: 'IN_PROGRESS' } };
    });
    const seen = here.see(runAll(here.endpoint, requests(10), { concurrency: 3, onError: 'stop' }));
    here.at(2_000, () => (refuse = true));
    here.until(60_000);
    expect(seen.values).toMatchObject(
      [0, 1, 2].map(() => ({ ok: false, error: { code: 'authentication', accepted: 'unknown' }, ref: { v: 1 } })),
    );
    expect(seen.error).toMatchObject({ code: 'authentication' });
    expect(here.sent.filter(({ operation }) => operation === 'run')).toHaveLength(3);
    expect(here.sent.some(({ operation }) => operation === 'cancel')).toBe(false);
  });

  test('S24 in an outage of a minute, jobs in flight are neither lost nor cancelled, and retries submit the rest', () => {
    let gone = false;
    const started = new Map<string, number>();
    const here = script(
      ({ operation, url }, nth) => {
        if (gone) return { phase: 'connect' };
        if (operation === 'run') return { body: { id: `j${nth}`, status: 'IN_QUEUE' } };
        const id = /[^/?]+(?=\?|$)/.exec(url)![0];
        const began = started.get(id) ?? here.scheduler.now();
        started.set(id, began);
        return { body: { id, status: here.scheduler.now() - began >= 3_000 ? 'COMPLETED' : 'IN_PROGRESS' } };
      },
      { retry: { attempts: 2 } },
    );
    const { scheduler } = here;
    const seen = here.see(
      runAll(here.endpoint, requests(12), { concurrency: 4, retry: { count: 20, delay: 5_000 }, scheduler }),
    );
    here.at(4_000, () => (gone = true));
    here.at(64_000, () => (gone = false));
    here.until(300_000);
    expect(failures(seen.values)).toEqual([]);
    expect(seen.values).toHaveLength(12);
    expect(here.sent.some(({ operation }) => operation === 'cancel')).toBe(false);
    expect(started.size).toBe(12);
  });

  test('hedge cancels the slower job, failover submits elsewhere only refused jobs', () => {
    let jobs = 0;
    const here = world({
      latency: 10,
      endpoints: {
        // Only the very first job is slow.
        demo: { handler: (_, { delay }) => delay(jobs++ ? 1_000 : 100_000) },
      },
    });
    const seen = here.see(runAll(hedge(here.endpoint, { after: 5_000, scheduler: here.scheduler }), requests(1), {}));
    here.until(60_000);
    expect(seen.values).toMatchObject([{ ok: true }]);
    expect(ledger(here)).toEqual({ submitted: 2, cancelled: 1, asked: 1 });
    const missing = here.client.endpoint('missing');
    const over = here.see(runAll(failover([missing, here.endpoint]), requests(2)));
    here.until(120_000);
    expect(over.values).toMatchObject([{ ok: true }, { ok: true }]);
  });

  test.each<['failover' | 'hedge']>([['failover'], ['hedge']])(
    'S1 %s reads a job before it takes it for queued: it runs by now, and costs money',
    (name) => {
      const slow: EmulatedEndpoint = { handler: (_, { delay }) => delay(60_000), workers: 8, coldStart: 5_000 };
      const here = world({ latency: 10, endpoints: { demo: slow, other: slow } });
      const { scheduler, endpoint, client } = here;
      const isQueued = (last: JobSnapshot | undefined) => last?.status === 'IN_QUEUE';
      // All begin at once, so that the starts of some are only inferred from those of others.
      const runner =
        name === 'hedge'
          ? hedge(endpoint, { after: 20_000, on: isQueued, scheduler })
          : failover([endpoint, client.endpoint('other')], { queue: 20_000, scheduler });
      const seen = here.see(runAll(runner, requests(8), { concurrency: 8 }));
      here.until(200_000);
      expect(seen.values.map(({ ok }) => ok)).toEqual(Array(8).fill(true));
      expect(ledger(here)).toEqual({ submitted: 8, cancelled: 0, asked: 0 });
    },
  );
});
