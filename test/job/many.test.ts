import { map } from 'rxjs';
import { expect, onTestFinished, test, describe } from 'vitest';
import { createRunpod, type SettleReport } from 'runpod-rx';
import { startEmulator } from 'runpod-rx/emulator';
import { undiciTransport } from 'runpod-rx/undici';
import { script, world, type Answer } from '../support/world.js';
import { asked, expectSilence, nothing, settled } from './support.js';

const COUNT = 500;
const queued = { id: 'job-1', status: 'IN_QUEUE' };

describe('S6 the cancel of a released job', () => {
  const input = { x: 1 };
  /** A job that was released a second after it was first subscribed to; `cancels` are the answers to its cancels. */
  const left = (cancel: (nth: number, now: number) => Answer, status: Answer = { body: queued, after: 100 }) => {
    let nth = 0;
    const made = script(({ operation }) => {
      if (operation === 'run') return { body: queued, after: 100 };
      return operation === 'cancel' ? cancel(++nth, made.scheduler.now()) : status;
    });
    const job = made.endpoint.job({ input }, { tag: 'mine' });
    const { subscription } = made.see(job.output$);
    made.at(1_000, () => {
      subscription.unsubscribe();
    });
    return { ...made, job, cancels: () => asked(made).cancel ?? 0 };
  };
  const cancelled: Answer = { body: { ...queued, status: 'CANCELLED' }, after: 100 };

  test.each<[string, Answer]>([
    ['5xx', { status: 502 }],
    ['429', { status: 429 }],
    ['a network that is away', { phase: 'connect' }],
    ['lost answers', { phase: 'sent' }],
  ])('goes on after unsubscribing, and is repeated after %s until it is confirmed', (_, bad) => {
    const made = left((_nth, now) => (now < 300_000 ? bad : cancelled));
    made.until(290_000);
    expect(settled(made)).toBeUndefined();
    made.until(400_000);
    expect(settled(made)).toEqual({ ...nothing, cancelled: ['job-1'] });
    expect(made.cancels()).toBeGreaterThan(10);
    expect(asked(made).run).toBe(1);
    expectSilence(made);
  });

  test.each([401, 403])('ends on the fourth %i, and the job is reported as abandoned', (status) => {
    const made = left(() => ({ status, after: 100 }));
    made.until(20_000);
    expect(made.cancels()).toBe(4);
    expect(made.see(made.client.settled()).values).toEqual([
      {
        cancelled: [],
        finished: [],
        abandoned: [{ v: 1, endpointId: 'demo', id: 'job-1', submittedAt: 100, tag: 'mine' }],
        lost: [],
      },
    ]);
    expectSilence(made);
  });

  test('is given up after ten minutes, and the job reported as abandoned', () => {
    const made = left(() => ({ status: 503, after: 100 }));
    made.until(600_000);
    expect(settled(made)).toBeUndefined();
    made.until(602_000);
    expect(made.see(made.client.settled()).values).toMatchObject([{ abandoned: [{ id: 'job-1', tag: 'mine' }] }]);
    const tried = made.cancels();
    expect(tried).toBeGreaterThan(20);
    made.until(10_000_000);
    expect(made.cancels()).toBe(tried);
    expectSilence(made);
  });

  test('that comes too late: the job is reported as finished, and a later subscriber gets its output', () => {
    const over: Answer = { body: { ...queued, status: 'COMPLETED', output: 'done' }, after: 100 };
    const made = left(() => over, { body: queued, after: 100 });
    made.until(10_000);
    expect(settled(made)).toEqual({ ...nothing, finished: ['job-1'] });
    const late = made.see(made.job.output$);
    made.until(20_000);
    expect(late.values).toEqual(['done']);
    expect(asked(made).run).toBe(1);
  });

  test('is shared by all Job objects of the same job', () => {
    const made = left(() => cancelled);
    made.until(500);
    const other = made.see(made.endpoint.attach('job-1', { onUnsubscribe: 'cancel' }).output$);
    made.at(1_000, () => {
      other.subscription.unsubscribe();
    });
    made.until(100_000);
    expect(made.cancels()).toBe(1);
    expect(settled(made)).toEqual({ ...nothing, cancelled: ['job-1'] });
  });

  test('that was given up is tried anew when the job is released again', () => {
    const made = left((nth) => (nth <= 4 ? { status: 401, after: 100 } : cancelled));
    made.until(20_000);
    expect(settled(made)).toEqual({ ...nothing, abandoned: ['job-1'] });
    const { subscription } = made.see(made.job.output$);
    made.until(30_000);
    subscription.unsubscribe();
    made.until(100_000);
    expect(made.cancels()).toBe(5);
    expect(asked(made).run).toBe(1);
    expect(settled(made)).toEqual({ ...nothing, cancelled: ['job-1'] });
  });

  test('goes on although its job is subscribed to again, and its outcome shows in the views', () => {
    const made = left((nth) => (nth < 8 ? { status: 503, after: 100 } : cancelled));
    made.until(1_500);
    const again = made.see(made.job.output$);
    made.until(2_000);
    again.subscription.unsubscribe();
    const stays = made.see(made.job.output$);
    made.until(400_000);
    expect(made.cancels()).toBe(8);
    expect(stays.error).toMatchObject({ code: 'job_cancelled', jobId: 'job-1', tag: 'mine' });
    expect(settled(made)).toEqual({ ...nothing, cancelled: ['job-1'] });
  });
});

test('S6 a running job that is released while the cancels of others wait within the limits is cancelled next', () => {
  const made = world(
    { endpoints: { demo: { workers: 1, handler: (_, context) => context.delay(10_000_000).pipe(map(() => 'late')) } } },
    { limits: { cancel: { requests: 1, per: 10_000 } } },
  );
  const [running, ...queuedJobs] = Array.from({ length: 4 }, (_, n) =>
    made.see(made.endpoint.job({ input: { n } }).state$),
  );
  made.until(5_000);
  for (const { subscription } of queuedJobs) subscription.unsubscribe();
  made.until(6_000);
  running!.subscription.unsubscribe();
  made.until(100_000);
  const [first, ...others] = made.emulator.jobs().map(({ id }) => id);
  const cancelled = made.emulator.requests().filter(({ operation }) => operation === 'cancel');
  expect(cancelled.map(({ jobId }) => jobId)).toEqual([others[0], first, others[1], others[2]]);
});

describe(`S6 ${COUNT} jobs released at once`, () => {
  const expectAll = (report: SettleReport | undefined, ids: readonly string[]) => {
    const all = report && [...report.cancelled, ...report.finished, ...report.abandoned];
    expect(all?.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(report?.cancelled).toHaveLength(ids.length);
    // One reference for each job, by its tag.
    expect(new Set(all?.map(({ tag }) => tag)).size).toBe(ids.length);
  };

  test('are all cancelled, running jobs first, without a 429 under the documented limits', () => {
    const running = 40;
    const made = world({
      latency: 100,
      endpoints: {
        demo: { workers: running, handler: (_, context) => context.delay(10_000_000).pipe(map(() => 'late')) },
      },
    });
    const jobs = Array.from({ length: COUNT }, (_, n) =>
      made.endpoint.job({ input: { n } }, { tag: `job ${n}`, every: 60_000 }),
    );
    const seen = jobs.map((job) => made.see(job.output$));
    made.until(119_000);
    expect(made.emulator.jobs().filter(({ status }) => status === 'IN_PROGRESS')).toHaveLength(running);
    expect(made.emulator.jobs()).toHaveLength(COUNT);
    // The running jobs are released last.
    for (const { subscription } of seen.reverse()) subscription.unsubscribe();
    const settling = made.see(made.client.settled());
    made.until(600_000);
    expectAll(
      settling.values[0],
      made.emulator.jobs().map(({ id }) => id),
    );
    expect(settling.ended).toBeDefined();
    const requests = made.emulator.requests();
    expect(requests.filter(({ status }) => status !== 200)).toEqual([]);
    const { run, cancel } = asked(made);
    expect({ run, cancel }).toEqual({ run: COUNT, cancel: COUNT });
    // Running jobs cost money, so they are cancelled first. The last jobs that were taken ended before their release.
    const ran = new Set(
      made.emulator
        .jobs()
        .filter(({ runs }) => runs.some(({ startedAt }) => startedAt < 119_000))
        .map(({ id }) => id),
    );
    const order = requests.filter(({ operation }) => operation === 'cancel').map(({ jobId }) => ran.has(jobId!));
    expect(order.slice(0, running)).toEqual(Array<boolean>(running).fill(true));
    expect(
      made.emulator.jobs().every(({ status, cancelRequests }) => status === 'CANCELLED' && cancelRequests === 1),
    ).toBe(true);
    expectSilence(made);
  });

  test('before any submission was answered: sent jobs are cancelled, unsent jobs are never sent', () => {
    const made = world({ latency: 5_000 });
    const seen = Array.from({ length: COUNT }, (_, n) =>
      made.see(made.endpoint.job({ input: { n, ms: 1_000_000 } }, { tag: `job ${n}` }).output$),
    );
    made.until(1_000);
    const sent = asked(made).run!;
    expect(sent).toBeLessThan(COUNT);
    for (const { subscription } of seen) subscription.unsubscribe();
    const settling = made.see(made.client.settled());
    made.until(600_000);
    const ids = made.emulator.jobs().map(({ id }) => id);
    expect(ids).toHaveLength(sent);
    expect(asked(made)).toEqual({ run: sent, cancel: sent });
    expect(made.emulator.requests().filter(({ status }) => status !== 200)).toEqual([]);
    expect(settling.values).toHaveLength(1);
    expectAll(settling.values[0], ids);
  });

  test('by close(): are all cancelled, and none runs on', () => {
    const made = world({
      latency: 100,
      endpoints: { demo: { workers: 5, handler: (_, context) => context.delay(10_000_000).pipe(map(() => 'late')) } },
    });
    for (let n = 0; n < COUNT; n++)
      made.see(made.endpoint.job({ input: { n } }, { tag: `job ${n}`, every: 60_000 }).output$);
    made.until(60_000);
    const report = made.see(made.client.close());
    made.until(600_000);
    expectAll(
      report.values[0],
      made.emulator.jobs().map(({ id }) => id),
    );
    expect(made.emulator.requests().filter(({ status }) => status === 429)).toEqual([]);
    expect(made.emulator.jobs().every(({ status }) => status === 'CANCELLED')).toBe(true);
    expectSilence(made);
  });

  test('over HTTP: are all cancelled, running jobs first, without a 429', async () => {
    const limits = {
      run: { requests: 300, per: 500, concurrent: 50 },
      status: { requests: 600, per: 500, concurrent: 50 },
      cancel: { requests: 100, per: 500, concurrent: 20 },
    };
    const running = 10;
    const emulator = await startEmulator({
      limits,
      endpoints: {
        demo: { workers: running, handler: (_, context) => context.delay(600_000).pipe(map(() => 'late')) },
      },
    });
    onTestFinished(() => emulator.close());
    const client = createRunpod({ transport: undiciTransport(), baseUrl: emulator.baseUrl, apiKey: 'key', limits });
    const endpoint = client.endpoint('demo');
    await new Promise<void>((resolve) => {
      let read = 0;
      client.activity$.subscribe(({ type, operation }) => {
        if (type === 'reply' && operation === 'status' && ++read === COUNT) setImmediate(resolve);
      });
      for (let n = 0; n < COUNT; n++) {
        endpoint.job({ input: { n } }, { tag: `job ${n}`, every: 60_000 }).state$.subscribe({ error: () => undefined });
      }
    });
    const ran = emulator.jobs().flatMap(({ id, status }) => (status === 'IN_PROGRESS' ? [id] : []));
    expect(ran).toHaveLength(running);
    const report = await new Promise<SettleReport>((resolve) => {
      client.close().subscribe(resolve);
    });
    expectAll(
      report,
      emulator.jobs().map(({ id }) => id),
    );
    const requests = emulator.requests();
    expect(requests.filter(({ status }) => status === 429)).toEqual([]);
    expect(requests.filter(({ operation }) => operation === 'run')).toHaveLength(COUNT);
    const cancels = requests.flatMap(({ operation, jobId = '' }) => (operation === 'cancel' ? [jobId] : []));
    expect(cancels).toHaveLength(COUNT);
    // Requests that are in flight at the same time arrive in any order.
    expect(cancels.slice(0, limits.cancel.concurrent)).toEqual(expect.arrayContaining(ran));
    expect(emulator.jobs().every(({ status }) => status === 'CANCELLED')).toBe(true);
  });
});
