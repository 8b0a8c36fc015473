import {
  defer,
  delay,
  delayWhen,
  EMPTY,
  filter,
  firstValueFrom,
  interval,
  merge,
  NEVER,
  Subject,
  switchMap,
  take,
  tap,
} from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EmulatorOptions } from 'runpod-rx/emulator';
import { Clock } from '../../../support/wire.js';
import { platform } from './platform.js';

/** A platform whose time passes only when the test says so: however slow the machine is, no worker is lost by accident. */
async function timelessPlatform(options: Partial<EmulatorOptions>) {
  const clock = new Clock();
  // Runs what is due now.
  const pump = setInterval(() => clock.advance(0), 5);
  onTestFinished(() => clearInterval(pump));
  return { clock, ...(await platform({ ...options, scheduler: clock })) };
}

describe('a worker in Python', () => {
  test('takes jobs and returns their results', async () => {
    const { worker, run, over } = await platform();
    await worker('py-1');
    const ids = [await run({ text: 'héllo 🎈' }), await run({ text: 'two' })];
    expect(await over(ids[0]!)).toMatchObject({
      output: { echo: { text: 'héllo 🎈' } },
      status: 'COMPLETED',
      workerId: 'py-1',
    });
    expect(await over(ids[1]!)).toMatchObject({ output: { echo: { text: 'two' } }, status: 'COMPLETED' });
  });

  test('waits for work, and answers /runsync', async () => {
    const { worker, call } = await platform();
    await worker('py-1');
    expect(await call('POST', 'runsync', { input: { text: 'now' } })).toMatchObject({
      output: { echo: { text: 'now' } },
      status: 'COMPLETED',
    });
    expect(await call('GET', 'health')).toMatchObject({ jobs: { completed: 1 }, workers: { idle: 1 } });
  });

  test('streams', async () => {
    const { worker, run, call, over } = await platform();
    await worker('py-1');
    const id = await run({ count: 5, pause: 0.02 });
    const chunks: unknown[] = [];
    for (let status: unknown; status !== 'COMPLETED';) {
      const answer = (await call('GET', `stream/${id}`)) as { status: string; stream: { output: unknown }[] };
      chunks.push(...answer.stream.map(({ output }) => output));
      status = answer.status;
    }
    expect(chunks).toEqual([0, 1, 2, 3, 4].map((number) => ({ number, word: 'wörd' })));
    expect(await over(id)).toMatchObject({ output: [], status: 'COMPLETED' });
  });

  test('collects its chunks into the output', async () => {
    const { worker, run, over } = await platform();
    await worker('py-1', { AGGREGATE: '1' });
    expect(await over(await run({ count: 2 }))).toMatchObject({
      output: [
        { number: 0, word: 'wörd' },
        { number: 1, word: 'wörd' },
      ],
    });
  });

  test('fails in the middle of a stream', async () => {
    const { worker, run, over, call } = await platform();
    await worker('py-1');
    const id = await run({ count: 3, fail_at: 2 });
    expect(await over(id)).toMatchObject({ error: 'handler: no more \ntraceback: none', status: 'FAILED' });
    const { stream } = await call('GET', `stream/${id}`);
    expect(stream).toHaveLength(2);
  });

  test('reports progress', async () => {
    // The worker goes on when its report is answered.
    const [reported$, answer$] = [new Subject<void>(), new Subject<void>()];
    const { worker, run, over, call } = await platform({
      intercept: (request, next) =>
        request.url.includes('/job-done/')
          ? next(request).pipe(
              tap(() => reported$.next()),
              delayWhen(() => answer$),
            )
          : next(request),
    });
    await worker('py-1');
    let reported = firstValueFrom(reported$);
    const id = await run({ progress: ['10%', { percent: 50 }] });
    await reported;
    expect(await call('GET', `status/${id}`)).toMatchObject({ output: '10%', status: 'IN_PROGRESS' });
    reported = firstValueFrom(reported$);
    answer$.next();
    await reported;
    expect(await call('GET', `status/${id}`)).toMatchObject({ output: { percent: 50 }, status: 'IN_PROGRESS' });
    answer$.next();
    expect(await over(id)).toMatchObject({ output: 'progressed', status: 'COMPLETED' });
  });

  test('returns an error, or raises one', async () => {
    const { worker, run, over } = await platform();
    await worker('py-1');
    expect(await over(await run({ error: 'bad input' }))).toMatchObject({
      error: 'bad input',
      output: { code: 7 },
      status: 'FAILED',
    });
    const { error, status } = await over(await run({ raise: 'no such thing' }));
    expect(status).toBe('FAILED');
    expect(JSON.parse(String(error))).toMatchObject({
      error_message: 'no such thing',
      error_type: "<class 'ValueError'>",
      worker_id: 'py-1',
    });
  });

  test('runs several jobs at once', async () => {
    // No job ends before all have begun.
    const { worker, run, over, emulator } = await platform({
      intercept: (request, next) =>
        request.url.includes('/job-done/')
          ? interval(5).pipe(
              filter(() => emulator.jobs().every(({ runs }) => runs.length > 0)),
              take(1),
              delay(5),
              switchMap(() => next(request)),
            )
          : next(request),
    });
    await worker('py-1', { CONCURRENCY: '3' });
    const ids = await Promise.all([1, 2, 3].map(() => run({ sleep: 0.05 })));
    for (const id of ids) expect(await over(id)).toMatchObject({ output: 'slept', workerId: 'py-1' });
    const runs = emulator.jobs().flatMap((job) => job.runs);
    expect(Math.max(...runs.map((job) => job.startedAt))).toBeLessThan(Math.min(...runs.map((job) => job.endedAt!)));
  });

  test('two workers share a queue with a handler of this process, and no job runs twice', async () => {
    const { worker, run, over, emulator } = await platform({
      endpoints: {
        demo: {
          // It goes on when the others have begun, too.
          handler: async ({ input }, { sleep }) => {
            const runs = () => emulator.jobs().flatMap((job) => job.runs);
            while (new Set(runs().map(({ workerId }) => workerId)).size < 3) await sleep(5);
            return { echo: input };
          },
          workers: 1,
        },
      },
    });
    await Promise.all([worker('py-1'), worker('py-2')]);
    const ids = await Promise.all(Array.from({ length: 40 }, (_, number) => run({ number })));
    for (const [number, id] of ids.entries()) {
      expect(await over(id)).toMatchObject({ output: { echo: { number } }, status: 'COMPLETED' });
    }
    const runs = emulator.jobs().flatMap((job) => job.runs);
    expect(runs).toHaveLength(40);
    expect(new Set(runs.map(({ workerId }) => workerId)).size).toBe(3);
  });

  test('is stopped when its job is cancelled, and takes the next', async () => {
    const { worker, run, over, call, emulator } = await platform();
    const process = await worker('py-1');
    const id = await run({ sleep: 60 });
    await process.said(new RegExp(`^took ${id}$`));
    expect(await call('POST', `cancel/${id}`)).toEqual({ id, status: 'CANCELLED' });
    await process.said(new RegExp(`^stopped ${id}$`));
    expect(await over(await run({ text: 'next' }))).toMatchObject({ status: 'COMPLETED' });
    expect(emulator.jobs()[0]).toMatchObject({ end: 'cancelled', runs: [{ outcome: 'cancelled', workerId: 'py-1' }] });
  });

  test('is stopped when its job takes too long', async () => {
    const { worker, run, over } = await platform({ endpoints: { demo: { executionTimeout: 100, killLag: 50 } } });
    const process = await worker('py-1');
    const id = await run({ sleep: 60 });
    expect(await over(id)).toMatchObject({ error: 'executionTimeout exceeded', status: 'FAILED' });
    await process.said(new RegExp(`^stopped ${id}$`));
  });

  test('keeps its job while it pings', async () => {
    let pings = 0;
    const { worker, run, over, clock } = await timelessPlatform({
      endpoints: { demo: { lostAfter: 400 } },
      intercept: (request, next) => {
        // Time passes after each ping that names the job, and the job ends after a few of them.
        if (request.url.includes('/ping/') && request.url.includes('job_id='))
          return next(request).pipe(tap(() => ++pings <= 4 && clock.advance(300)));
        if (request.url.includes('/job-done/'))
          return interval(5).pipe(
            filter(() => pings >= 4),
            take(1),
            switchMap(() => next(request)),
          );
        return next(request);
      },
    });
    await worker('py-1');
    const job = await over(await run({ sleep: 0 }));
    expect(job).toMatchObject({ output: 'slept', status: 'COMPLETED' });
    expect(job).not.toHaveProperty('retries');
  });

  test('that is killed during a job loses the job to another worker', async () => {
    const { worker, run, over, emulator, clock } = await timelessPlatform({
      endpoints: { demo: { lostAfter: 300 } },
      // However long the kill takes, it comes before a report.
      intercept: (request, next) => (request.url.includes('/job-done/py-1/') ? NEVER : next(request)),
    });
    const first = await worker('py-1');
    const id = await run({ sleep: 0.1 });
    await first.said(/^took/);
    await first.kill();
    clock.advance(301);
    await worker('py-2');
    expect(await over(id)).toMatchObject({ output: 'slept', retries: 1, status: 'COMPLETED', workerId: 'py-2' });
    expect(emulator.jobs()[0]?.runs.map(({ outcome }) => outcome)).toEqual(['lost', 'reported']);
  });

  test('gets a stop signal when a fault loses it, and its job runs again', async () => {
    const { worker, run, over, emulator, clock } = await timelessPlatform({
      endpoints: { demo: { lostAfter: 300 } },
      faults: [{ fault: 'lost-worker', times: 1, after: 100 }],
    });
    const process = await worker('py-1');
    const id = await run({ sleep: [3_600, 0] });
    await process.said(/^took/);
    clock.advance(100);
    await process.said(new RegExp(`^stopped ${id}$`));
    clock.advance(300);
    expect(await over(id)).toMatchObject({ output: 'slept', retries: 1, status: 'COMPLETED' });
    expect(emulator.jobs()[0]?.runs.map(({ outcome }) => outcome)).toEqual(['lost', 'reported']);
  });

  test('a job that kills every worker fails', async () => {
    const { worker, run, over, call } = await platform({ endpoints: { demo: { lostAfter: 200 } } });
    const id = await run({ die: true });
    await worker('py-1');
    await worker('py-2');
    const job = await over(id);
    expect(Object.keys(job)).toEqual(['delayTime', 'error', 'executionTime', 'id', 'retries', 'status', 'workerId']);
    expect(job).toMatchObject({ error: 'job timed out after 1 retries', retries: 1, status: 'FAILED' });
    expect(await call('GET', 'health')).toMatchObject({ jobs: { failed: 1, inProgress: 0, retried: 1 } });
  });

  test('never reports a job without input, and the platform fails the job', async () => {
    const { worker, run, over, clock } = await timelessPlatform({ endpoints: { demo: { lostAfter: 200 } } });
    const process = await worker('py-1');
    const id = await run({});
    for (const nth of [1, 2]) {
      await process.said(new RegExp(`^missing ${id}$`), nth);
      clock.advance(201);
    }
    expect(await over(id)).toMatchObject({ error: 'job timed out after 1 retries', retries: 1, status: 'FAILED' });
    expect(process.lines.filter((line) => line === `missing ${id}`)).toHaveLength(2);
  });

  test('that asks to be refreshed gets no job for the duration of a cold start', async () => {
    const asks$ = new Subject<void>();
    let refreshed: Promise<void> | undefined;
    const { worker, run, over, emulator, clock } = await timelessPlatform({
      endpoints: { demo: { coldStart: 400, lostAfter: 86_400_000 } },
      intercept: (request, next) => {
        if (request.url.includes('/job-done/')) refreshed = firstValueFrom(asks$);
        if (!request.url.includes('/job-take/')) return next(request);
        // The request is held first.
        return merge(
          next(request),
          defer(() => {
            asks$.next();
            return EMPTY;
          }),
        );
      },
    });
    const process = await worker('py-1');
    await over(await run({ refresh: true }));
    const id = await run({ text: 'next' });
    // Time passes only when the worker asks for a job again.
    await refreshed;
    clock.advance(399);
    expect(emulator.jobs()[1]).toMatchObject({ status: 'IN_QUEUE' });
    clock.advance(1);
    await process.said(new RegExp(`^took ${id}$`));
    expect(await over(id)).toMatchObject({ status: 'COMPLETED' });
    const [first, second] = emulator.jobs().map((job) => job.runs[0]);
    expect(second!.startedAt - first!.endedAt!).toBe(400);
  });

  test('sends the key of its environment', async () => {
    const { worker, emulator } = await platform({ keys: ['local-worker-key'] });
    await worker('py-1', { RUNPOD_AI_API_KEY: 'local-worker-key' });
    const headers = { authorization: 'Bearer local-worker-key' };
    const body = JSON.stringify({ input: { text: 'in' } });
    const answer = await fetch(`${emulator.baseUrl}/demo/runsync`, { method: 'POST', headers, body });
    expect(await answer.json()).toMatchObject({ status: 'COMPLETED' });
    expect(JSON.stringify(emulator.requests())).not.toContain('local-worker-key');
  });
});
