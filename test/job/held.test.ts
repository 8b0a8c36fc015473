import { expect, test } from 'vitest';
import { script, world } from '../support/world.js';
import { asked, expectSilence, nothing, settled } from './support.js';
import { acting, streaming, when } from './support/acting.js';

const input = { ms: 600_000 };
const queued = { id: 'job-1', status: 'IN_QUEUE' };

test('S2 an outage ends the views once it is longer than the option outage', () => {
  const made = script(({ operation }) => (operation === 'run' ? { body: queued } : { status: 503 }));
  const seen = made.see(made.endpoint.job({ input }, { outage: 60_000 }).output$);
  made.until(50_000);
  expect(seen.error).toBeUndefined();
  made.until(70_000);
  expect(seen.error).toMatchObject({ code: 'http', status: 503 });
});

test('S4 cancel() while the submission is on its way, then unsubscribing with detach: the job is cancelled', () => {
  const made = world({ latency: 2_000 });
  const job = made.endpoint.job({ input }, { onUnsubscribe: 'detach' });
  const { subscription } = made.see(job.output$);
  made.until(500);
  job.cancel();
  subscription.unsubscribe();
  made.until(100_000);
  expect(asked(made)).toEqual({ run: 1, cancel: 1 });
  expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
});

test('S5 an abandoned submission whose answer is terminal: nothing more is sent, and nothing cancelled', () => {
  const made = script(() => ({ body: { ...queued, status: 'COMPLETED', output: 1 }, after: 1_000 }));
  const { subscription } = made.see(made.endpoint.job({ input }).output$);
  made.until(500);
  subscription.unsubscribe();
  made.until(100_000);
  expect(asked(made)).toEqual({ run: 1 });
  expect(settled(made)).toEqual(nothing);
  expect(made.activity.filter(({ type }) => type === 'cancel')).toEqual([]);
  expectSilence(made);
});

test('S8 a job past a deadline is cancelled although its last view unsubscribes meanwhile, whatever onUnsubscribe says', () => {
  for (const onUnsubscribe of ['detach', 'cancel-if-queued'] as const) {
    const made = world({ latency: 100, endpoints: { demo: { killLag: 1e8, ...acting } } });
    const job = made.endpoint.job({ input }, { timeout: 5_000, every: 500_000, onUnsubscribe });
    const { subscription } = made.see(job.output$);
    made.until(5_050);
    subscription.unsubscribe();
    made.until(100_000);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
  }
});

test('S14 where not all chunks are kept, the stream is not read without a chunk-viewer: a later subscriber misses nothing', () => {
  const made = world({ latency: 50, endpoints: { demo: streaming() } });
  const chunks = [1, 2, 3, 4, 5].map((nth) => [nth * 10_000, nth] as const);
  const job = made.endpoint.job({ input: { ms: 60_000, chunks } }, { replayChunks: 0, onGap: 'mark' });
  made.see(job.output$);
  const first = made.see(job.chunks$);
  made.until(25_000);
  first.subscription.unsubscribe();
  made.until(45_000);
  expect(when(made, 'stream').filter((at) => at > 25_000)).toEqual([]);
  const second = made.see(job.chunks$);
  made.until(200_000);
  expect([first.values, second.values]).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
});

test('S22 diagnosis$ of a job with an invalid option errors asynchronously', () => {
  const made = script(() => ({ body: queued }));
  const seen = made.see(made.endpoint.job({ input }, { grace: -1 }).diagnosis$);
  expect(seen.error).toBeUndefined();
  made.until(1_000);
  expect(seen.error).toMatchObject({ code: 'validation' });
});
