import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { map } from 'rxjs';
import { expect, test } from 'vitest';
import { createEmulator } from 'runpod-rx/testing';
import { world } from './world.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void; // there since the flag was set

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

test('frees the data of jobs that can no longer be read, and keeps their history', () => {
  const w = world({
    endpoints: {
      demo: {
        handler: ({ input }, { delay }) => delay(1).pipe(map(() => `${String(input.n)}${'x'.repeat(300_000)}`)),
        retention: { run: 1_000 },
        workers: 500,
      },
    },
    limits: false,
  });
  const before = heap();
  const ids = Array.from({ length: 300 }, (_, n) => w.submit({ n }));
  w.until(500);
  expect(heap() - before).toBeGreaterThan(60);
  w.until(70_000);
  expect(w.send('GET', `demo/status/${ids[0]!}`).status).toBe(404);
  expect(heap() - before).toBeLessThan(35);
  const jobs = w.emulator.jobs();
  expect(jobs).toHaveLength(300);
  expect(jobs[0]).toMatchObject({ end: 'completed', forgotten: true, executionMs: 1, input: undefined, chunks: [] });
  expect(jobs[0]).not.toHaveProperty('output');
  expect(jobs[299]).not.toHaveProperty('forgotten');
  expect(jobs[299]?.output).toHaveLength(300_003);
});

test('jobs beyond the history are forgotten', () => {
  const w = world({
    endpoints: { demo: { handler: () => 'x', retention: { run: 0 } } },
    limits: false,
    history: 50,
  });
  const submitted = (count: number) => {
    for (let n = 0; n < count; n += 1) {
      w.submit({ text: 'y'.repeat(1_000) });
      w.until(w.scheduler.now() + 1_000);
    }
  };
  submitted(500);
  const before = heap();
  submitted(3_000);
  expect(heap() - before).toBeLessThan(3);
  expect(w.emulator.jobs()).toHaveLength(50);
});

test.each([
  [
    'a generator',
    'FAILED',
    function* () {
      for (;;) yield 'more';
    },
  ],
  [
    'an async generator',
    'IN_PROGRESS',
    async function* () {
      for (;;) yield await Promise.resolve('more');
    },
  ],
])('%s that yields forever without a reader fails, and other jobs go on', async (_, meanwhile, endless) => {
  const emulator = createEmulator({
    endpoints: { demo: { handler: ({ input }) => (input.endless === true ? endless() : 'fine'), aggregate: true } },
  });
  const send = (method: string, path: string, body = '') =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      emulator.handle({ method, url: `/v2/demo/${path}`, headers: {}, body }).subscribe({
        next: ({ text }) => resolve(JSON.parse(text) as Record<string, unknown>),
        error: reject,
      });
    });
  const { id } = await send('POST', 'run', '{"input":{"endless":true}}');
  expect(await send('POST', 'runsync', '{"input":{"x":1}}')).toMatchObject({ output: 'fine', status: 'COMPLETED' });
  // A generator that waits for promises lets other work run; a synchronous generator fails at once.
  expect(await send('GET', `status/${String(id)}`)).toMatchObject({ status: meanwhile });
  expect(await send('GET', `status-sync/${String(id)}`)).toMatchObject({
    error: 'the stream holds more chunks than can be kept: nobody reads them',
    status: 'FAILED',
  });
  expect(await send('GET', 'health')).toMatchObject({ jobs: { failed: 1 }, workers: { running: 0 } });
  expect((await send('GET', `stream/${String(id)}`)).stream).toHaveLength(100_000);
  emulator.close();
});

test('a stream that is read may go on; only the latest of the read chunks are kept', () => {
  const w = world({
    endpoints: {
      demo: {
        *handler({ input }) {
          for (let n = 0; n < Number(input.count); n += 1) yield n;
        },
      },
    },
  });
  const id = w.submit({ count: 60_000 });
  w.until(1);
  expect((w.ask('GET', `demo/stream/${id}`).stream as unknown[]).length).toBe(60_000);
  const [job] = w.emulator.jobs();
  expect(job).toMatchObject({ chunksHandedOut: 60_000, status: 'COMPLETED' });
  expect(job?.chunks.slice(-2)).toEqual([59_998, 59_999]);
  expect(job?.chunks).toHaveLength(10_000);
});
