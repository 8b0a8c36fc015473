import { map, of, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createRunpod,
  pollHealth,
  pollStatus,
  retryJob,
  runAll,
  type JobSnapshot,
  type PipelineTotals,
  type Transport,
} from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';
import { job, life } from '../fixtures/snapshots.js';
import { httpError } from '../support/scripted.js';

const HOUR = 3_600_000;

/** Sets the computer's clock. The clock that is never set, and the timers, go on as before. */
const setClock = (by: number) => vi.setSystemTime(Date.now() + by);
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A client, and an emulator, to which nobody gives a scheduler. */
function defaults(ms: number) {
  const emulator = createEmulator({
    endpoints: { demo: { handler: (_, { delay }) => delay(ms).pipe(map(() => 'done')) } },
  });
  const client = createRunpod({ transport: emulator.transport, apiKey: 'key', random: () => 0.5 });
  return { emulator, endpoint: client.endpoint('demo') };
}

describe.each([
  ['back', -HOUR],
  ['forward', HOUR],
])('S9 where no scheduler is given, a clock of the computer that is set %s by an hour', (_, by) => {
  test('delays no read of a job, and cancels nothing at its deadline', async () => {
    const { emulator, endpoint } = defaults(60_000);
    let output: unknown;
    endpoint.job({ input: { a: 1 } }, { timeout: 120_000 }).output$.subscribe((value) => (output = value));
    await pass(10_000);
    setClock(by);
    await pass(60_000);
    expect(output).toBe('done');
    expect(emulator.requests().filter(({ operation }) => operation === 'cancel')).toEqual([]);
    emulator.close();
  });

  test('does not change the pause after a 429', async () => {
    const answers = [429, 200];
    const transport: Transport = () => {
      const status = answers.shift()!;
      return of({ status, headers: { 'retry-after': '5' }, text: '{"id":"j","status":"IN_QUEUE"}' });
    };
    const client = createRunpod({ transport, apiKey: 'key', random: () => 0.5 });
    let id: unknown;
    client
      .endpoint('demo')
      .run({ input: { a: 1 } })
      .subscribe((snapshot) => ({ id } = snapshot));
    await pass(1_000);
    setClock(by);
    await pass(3_000);
    expect(id).toBeUndefined();
    await pass(3_000);
    expect(id).toBe('j');
  });

  test('does not change the rate of a pipeline', async () => {
    let last: PipelineTotals | undefined;
    const { emulator, endpoint } = defaults(1_000);
    const inputs = Array.from({ length: 60 }, (__, nth) => ({ input: { nth } }));
    runAll(endpoint, inputs, { concurrency: 3, totals: { next: (totals) => (last = totals) } }).subscribe();
    await pass(10_000);
    const before = last!.rate;
    setClock(by);
    await pass(3_000);
    expect(last!.rate).toBeGreaterThan(before / 2);
    expect(last!.rate).toBeLessThan(before * 2);
    emulator.close();
  });
});

describe('S9 where no scheduler is given, a clock of the computer that is set forward by an hour', () => {
  test('slows no pollStatus: the age of the job stays what it was', async () => {
    let reads = 0;
    const subscription = pollStatus(() => {
      reads++;
      return of(life.p);
    }).subscribe();
    await pass(1_000);
    setClock(HOUR);
    const before = reads;
    await pass(3_000);
    expect(reads - before).toBeGreaterThanOrEqual(4);
    subscription.unsubscribe();
  });

  test('uses up no patience of pollHealth', async () => {
    let error: unknown;
    const subscription = pollHealth(() => throwError(() => httpError(503))).subscribe({
      error: (given: unknown) => (error = given),
    });
    for (let step = 0; step < 5; step++) {
      await pass(5_000);
      setClock(HOUR);
    }
    expect(error).toBeUndefined();
    subscription.unsubscribe();
  });

  test('has retryJob take no earlier failure for a new one', async () => {
    const failure = job('FAILED', { error: 'broken', delayTime: 5, executionTime: 10 });
    const watched = [failure, life.c];
    const retrier = {
      retry: () => of(life.q),
      watch: () => {
        setClock(HOUR);
        return of(watched.shift()!);
      },
    };
    const seen: JobSnapshot[] = [];
    of(failure)
      .pipe(retryJob(retrier))
      .subscribe((snapshot) => seen.push(snapshot));
    await pass(5_000);
    expect(seen.map(({ status }) => status)).toEqual(['IN_QUEUE', 'COMPLETED']);
  });

  test('takes no result away from the emulator before its time', async () => {
    const { emulator, endpoint } = defaults(1_000);
    const seen: string[] = [];
    let id = '';
    endpoint.run({ input: { a: 1 } }).subscribe((snapshot) => (id = snapshot.id));
    await pass(5_000);
    setClock(HOUR);
    endpoint.status(id).subscribe(({ status }) => seen.push(status));
    await pass(1_000);
    expect(seen).toEqual(['COMPLETED']);
    emulator.close();
  });
});
