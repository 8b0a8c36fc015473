/**
 * How long a chunk takes to the reader, and how many chunks arrive in a second: over loopback, with the emulator in a
 * process of its own. The emulator hands chunks out as RunPod does: it holds an empty `/stream` until there is a chunk, and
 * keeps the documented limits.
 */
import { fork } from 'node:child_process';
import { runpod } from 'runpod-rx';
import { forkJoin, lastValueFrom, tap } from 'rxjs';
import { round } from './lib/round.mjs';

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function stream({ quick = false } = {}) {
  const service = fork(new URL('stream/service.mjs', import.meta.url));
  try {
    const baseUrl = await new Promise((resolve, reject) => {
      service.once('message', resolve);
      service.once('exit', (code) => reject(new Error(`the emulator ended with ${code}`)));
    });
    const client = runpod({ apiKey: 'a-key', baseUrl });
    // A warm-up: connections are opened, and the code is compiled.
    await read(client.endpoint('paced'), 2, { chunks: 20, every: 50 });
    const paced = await read(client.endpoint('paced'), 2, { chunks: quick ? 50 : 200, every: 50 });
    const flood = await read(client.endpoint('flood'), 4, { chunks: quick ? 5_000 : 20_000 });
    await lastValueFrom(client.close());
    return {
      name: 'stream: from a chunk produced to the chunk received',
      ok: paced.whole && flood.whole,
      asked: { whole: true },
      lines: [
        { load: '2 jobs, a chunk each 50 ms', ...paced },
        { load: '4 jobs, as fast as it goes', ...flood },
      ],
    };
  } finally {
    service.disconnect();
  }
}

/** Reads the streams of several jobs at once. */
async function read(endpoint, jobs, input) {
  const late = [];
  let whole = true;
  const start = performance.now();
  const cpu = process.cpuUsage();
  await lastValueFrom(
    forkJoin(
      Array.from({ length: jobs }, () => {
        let expected = 0;
        return endpoint.job({ input }, { replayChunks: 0 }).chunks$.pipe(
          tap({
            next: ({ index, at }) => {
              late.push(performance.timeOrigin + performance.now() - at);
              if (index !== expected) whole = false;
              expected += 1;
            },
            complete: () => {
              if (expected !== input.chunks) whole = false;
            },
          }),
        );
      }),
    ),
  );
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  late.sort((one, two) => one - two);
  return {
    chunks: late.length,
    whole,
    perSecond: Math.round(late.length / seconds),
    meanMs: round(late.reduce((sum, ms) => sum + ms, 0) / late.length, 1),
    p95Ms: round(late[Math.floor(late.length * 0.95)], 1),
    cpuMicroseconds: round((user + system) / late.length, 1),
  };
}
