import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { map } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startEmulator, type EmulatorOptions } from 'runpod-rx/emulator';
import { scriptedServer } from '../support/scriptedServer.js';

const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

let folder: string;
let bundle: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runpod-rx-job-'));
  bundle = join(folder, 'bundle.cjs');
  await build({
    stdin: {
      contents: `
        export { createRunpod, runpod } from ${JSON.stringify(source('index.ts'))};
        export { undiciTransport } from ${JSON.stringify(source('undici.ts'))};
        export * as rxjs from 'rxjs';
      `,
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    },
    alias: { '#adapter': source('http/transports/adapter.node.ts'), '#undici': 'undici' },
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A job takes ten minutes; ten run at once. */
const slow: EmulatorOptions['endpoints'] = {
  demo: { workers: 10, handler: (_, context) => context.delay(600_000).pipe(map(() => 'late')) },
};

async function emulated(options: Partial<EmulatorOptions> = {}) {
  const emulator = await startEmulator({ endpoints: slow, ...options });
  onTestFinished(() => emulator.close());
  return emulator;
}

/** Runs a program in a process of its own; `exit` resolves with its code when it ends by itself. */
async function run(program: string, baseUrl = '', ...flags: string[]) {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  await writeFile(
    file,
    `import library from ${JSON.stringify(pathToFileURL(bundle).href)};
     const { runpod, createRunpod, undiciTransport, rxjs } = library;
     const baseUrl = ${JSON.stringify(baseUrl)};
     const endpointOf = (options) => runpod({ apiKey: 'test-key-placeholder', baseUrl, retry: { base: 1 }, ...options });
     /** Lets go of the channel to the test, which would keep the process alive. */
     let silent = false;
     const say = (words) => {
       if (!silent) process.send(words, () => process.disconnect());
       silent = true;
     };
     ${program}`,
  );
  const child = spawn(process.execPath, [...flags, file], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const said = new Promise<unknown>((resolve) => child.once('message', resolve));
  return { child, exit, said };
}

describe('a process that releases its job', () => {
  const leaving = (how: string, options = '{}') => `
    const client = endpointOf();
    const stop = new AbortController();
    const job = client.endpoint('demo').job({ input: { x: 1 } }, ${options});
    const looking = job.state$.subscribe({
      next: ({ status }) => {
        if (status !== 'IN_PROGRESS') return;
        setTimeout(() => {
          ${how}
          say('left');
        });
      },
      // On a slow machine the deadline may come before the job is seen to run.
      error: () => say('left'),
    });
  `;

  it.each<[string, string]>([
    ['by unsubscribing', leaving('looking.unsubscribe();')],
    ['by its signal', leaving('stop.abort();', '{ signal: stop.signal }')],
    ['by cancel(), and unsubscribing', leaving('job.cancel(); looking.unsubscribe();')],
    ['by its timeout', leaving('', '{ timeout: 500, settle: 500 }')],
    ['by close()', leaving('client.close();')],
  ])('S6 %s: ends by itself, once the job is cancelled', async (_, program) => {
    let cancels = 0;
    const emulator = await emulated({
      intercept: (request, next) => {
        if (request.url.includes('/cancel/')) cancels++;
        return next(request);
      },
    });
    const { exit } = await run(program, emulator.baseUrl);
    expect(await exit).toBe(0);
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
    expect(cancels).toBe(1);
  });

  it.each<[string, string]>([
    ['as it is', leaving('looking.unsubscribe();', `{ onUnsubscribe: 'detach' }`)],
    ['by detach()', leaving('job.detach();')],
    ['having its id', `endpointOf().endpoint('demo').job({ input: { x: 1 } }).id$.subscribe(say);`],
  ])('S13 %s: ends by itself, and the job goes on', async (_, program) => {
    const emulator = await emulated();
    const { exit } = await run(program, emulator.baseUrl);
    expect(await exit).toBe(0);
    expect(emulator.jobs()).toMatchObject([{ status: 'IN_PROGRESS', cancelRequests: 0 }]);
  });
});

describe('Ctrl-C', () => {
  it('S6 with close(), nothing is left running', async () => {
    const emulator = await emulated();
    const { child, exit, said } = await run(
      `const client = endpointOf();
       const endpoint = client.endpoint('demo');
       process.once('SIGINT', () => {
         client.close().subscribe((report) => process.send(report, () => process.disconnect()));
       });
       let known = 0;
       for (let n = 0; n < 30; n++) {
         const seen = new Set();
         endpoint.job({ input: { n } }, { tag: 'job ' + n }).state$.subscribe({
           next: ({ id }) => {
             // Also closes the requests that are in flight.
             if (seen.size === 0 && ++known === 25) process.kill(process.pid, 'SIGINT');
             seen.add(id);
           },
           error: () => {},
         });
       }`,
      emulator.baseUrl,
    );
    const report = (await said) as Record<'cancelled' | 'finished' | 'abandoned', { id: string; tag: string }[]>;
    expect(await exit).toBe(0);
    expect(child.signalCode).toBeNull();
    const jobs = emulator.jobs();
    expect(jobs.length).toBeGreaterThanOrEqual(25);
    expect(jobs.filter(({ status }) => status !== 'CANCELLED')).toEqual([]);
    expect(report.cancelled.map(({ id }) => id).sort()).toEqual(jobs.map(({ id }) => id).sort());
    expect(report).toMatchObject({ finished: [], abandoned: [] });
  });
});

describe('memory', () => {
  it('40 000 jobs that were left, or ended, leave nothing behind', async () => {
    const { exit, said } = await run(
      `import { setMaxListeners } from 'node:events';
       const { asapScheduler, scheduled, firstValueFrom } = rxjs;
       let ids = 0;
       const answer = ({ operation, url }) => {
         if (operation === 'run') return { id: 'job-' + ++ids, status: 'IN_QUEUE' };
         const id = url.split('/').at(-1);
         if (operation === 'cancel') return { id, status: 'CANCELLED' };
         // Every fourth job is over at once, and every eighth failed.
         const nth = Number(id.slice(4));
         if (nth % 8 === 0) return { id, status: 'FAILED', error: 'bad' };
         return nth % 4 === 0 ? { id, status: 'COMPLETED', output: 'x'.repeat(100) } : { id, status: 'IN_PROGRESS' };
       };
       const client = createRunpod({
         apiKey: 'test-key-placeholder',
         limits: false,
         transport: (request) =>
           scheduled([{ status: 200, headers: {}, text: JSON.stringify(answer(request)) }], asapScheduler),
       });
       const endpoint = client.endpoint('demo');
       const never = new AbortController();
       setMaxListeners(0, never.signal);
       const ways = [
         (job) => { const one = job.output$.subscribe({ error: () => {} }); setImmediate(() => one.unsubscribe()); },
         (job) => { const one = job.state$.subscribe({ error: () => {} }); setTimeout(() => one.unsubscribe(), 1); },
         (job) => { job.events$.subscribe({ error: () => {} }).unsubscribe(); },
         (job) => { job.output$.subscribe({ error: () => {} }); setImmediate(() => job.cancel()); },
         (job) => { const one = job.output$.subscribe({ error: () => {} }); setTimeout(() => one.unsubscribe(), 1); },
         (job) => { job.state$.subscribe({ error: () => {} }); setTimeout(() => job.detach(), 1); },
         (job) => { job.id$.subscribe({ error: () => {} }); },
       ];
       const turn = () => new Promise((resolve) => setTimeout(resolve, 3));
       const round = async (count) => {
         for (let n = 0; n < count; n += 250) {
           for (let k = n; k < n + 250; k++)
             ways[k % ways.length](endpoint.job({ input: { k } }, { signal: never.signal, tag: 't', timeout: 600_000 }));
           await turn();
           await firstValueFrom(client.settled());
         }
         for (let k = 0; k < 20; k++) await turn();
         await firstValueFrom(client.settled());
       };
       const heap = async () => {
         for (let k = 0; k < 5; k++) { await turn(); globalThis.gc(); }
         return process.memoryUsage().heapUsed;
       };
       // Fills the client's cache of jobs, and lets the engine compile: on Node 22 that takes memory until 10 000 jobs.
       await round(15_000);
       const grown = [];
       for (let k = 0; k < 5; k++) {
         const before = await heap();
         await round(5_000);
         grown.push((await heap()) - before);
       }
       say({ ids, grown });`,
      '',
      '--expose-gc',
      // Errors would hold, and cost, their stacks.
      '--stack-trace-limit=0',
    );
    const { ids, grown } = (await said) as { ids: number; grown: number[] };
    expect(await exit).toBe(0);
    expect(ids).toBe(40_000);
    // Less than fifty bytes for each job. What jobs leave behind, they leave in each round; what the
    // engine keeps for itself (compiled code, for one), it takes in some rounds and not in others: the
    // median of the five rounds tells.
    expect(grown.sort((a, b) => a - b)[2]).toBeLessThan(250_000);
  });
});

describe('a process that is stopped while it watches a job, for longer than its patience', () => {
  it('S2 S9 reads on when the first read after it fails', async () => {
    let mode: 'running' | 'failing' | 'over' = 'running';
    const server = await scriptedServer({
      status: () => {
        if (mode === 'running') return { body: { id: 'job-1', status: 'IN_PROGRESS' } };
        if (mode === 'over') return { body: { id: 'job-1', status: 'COMPLETED' } };
        mode = 'over';
        return { status: 503 };
      },
    });
    onTestFinished(() => server.close());
    const { child, said } = await run(
      `endpointOf({ retry: false }).endpoint('demo').watch('job-1', { every: 20, outage: 200 }).subscribe({
         next: ({ status }) => { if (status === 'COMPLETED') say(status); },
         error: ({ code }) => say(code),
       });`,
      server.baseUrl,
    );
    await server.until(() => server.seen('status').length > 2 && server.waiting === 0);
    child.kill('SIGSTOP');
    // Longer than the patience. Nothing depends on how long it really takes.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    mode = 'failing';
    child.kill('SIGCONT');
    expect(await said).toBe('COMPLETED');
  });
});
