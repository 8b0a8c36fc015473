import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort, held, scriptedServer } from '../support/scriptedServer.js';

const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));
const QUEUED = { body: { id: 'job-1', status: 'IN_QUEUE' } };

/** Programs of a user. Each uses `client`, which an expression of `CLIENT` creates, and calls `end()` as its last step. */
const PROGRAM = {
  unsubscribe: `
    const run = client.endpoint('demo').run({ input: { x: 1 } }).subscribe();
    process.once('message', () => { run.unsubscribe(); end(); });
  `,
  'abort a signal': `
    const controller = new AbortController();
    client.endpoint('demo').runSync({ input: { x: 1 } }, { signal: controller.signal }).subscribe({ error: () => {} });
    process.once('message', () => { controller.abort(); end(); });
  `,
  close: `
    client.endpoint('demo').run({ input: { x: 1 } }).subscribe({ error: () => {} });
    process.once('message', () => { client.close(); end(); });
  `,
  read: `
    client.endpoint('demo').health().subscribe({ complete: end });
  `,
  nothing: `end();`,
  'unsubscribe from a waiting request': `
    const endpoint = client.endpoint('demo');
    endpoint.run({ input: { x: 1 } }).subscribe({ complete: () => setImmediate(() => {
      const waiting = endpoint.run({ input: { x: 2 } }).subscribe();
      setImmediate(() => { waiting.unsubscribe(); end(); });
    }) });
  `,
} as const;

const CLIENT = {
  'axios over undici': `runpod(options)`,
  undici: `createRunpod({ ...options, transport: undiciTransport() })`,
  'own axios, http adapter': `runpod({ ...options, axios: axios.create({ adapter: 'http' }) })`,
} as const;
const rows = Object.keys(CLIENT) as (keyof typeof CLIENT)[];

let folder: string;
let bundle: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runpod-rx-process-'));
  bundle = join(folder, 'bundle.cjs');
  await build({
    stdin: {
      contents: `
        export { createRunpod, runpod } from ${JSON.stringify(source('index.ts'))};
        export { undiciTransport } from ${JSON.stringify(source('undici.ts'))};
        export { default as axios } from 'axios';
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

/** Runs a program in a new process. `exit` resolves with the exit code. */
async function run(kind: keyof typeof CLIENT, program: keyof typeof PROGRAM, baseUrl: string) {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  await writeFile(
    file,
    `import library from ${JSON.stringify(pathToFileURL(bundle).href)};
     const { runpod, createRunpod, undiciTransport, axios } = library;
     const options = {
       apiKey: 'test-key-placeholder',
       baseUrl: ${JSON.stringify(baseUrl)},
       retry: { base: 1 },
       limits: { run: { requests: 1, per: 3_600_000 } },
     };
     const client = ${CLIENT[kind]};
     const end = () => process.send('done', () => process.disconnect());
     ${PROGRAM[program]}`,
  );
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  /** Sends the program its message; resolves once the program has handled it. */
  const act = () => {
    child.send('now');
    return new Promise((resolve) => child.once('message', resolve));
  };
  return { act, exit, kill: () => child.kill('SIGKILL') };
}

const staysAlive =
  'S6 a process stays alive until its abandoned job is cancelled, also after a failed cancel, then ends';

it.each([
  ...rows.map((kind) => [kind, 'unsubscribe'] as const),
  [rows[0]!, 'abort a signal'],
  [rows[0]!, 'close'],
] as const)(`${staysAlive}: %s, %s`, async (kind, program) => {
  const late = held(QUEUED);
  const cancel = [{ status: 503, headers: { 'retry-after': '0' } }, { body: { id: 'job-1', status: 'CANCELLED' } }];
  const server = await scriptedServer({ run: late.step, runsync: late.step, cancel });
  const { act, exit, kill } = await run(kind, program, server.baseUrl);
  try {
    await server.until(() => server.waiting);
    await act();
    late.release();
    expect(await exit).toBe(0);
    expect(server.seen('cancel').map(({ path, state }) => [path, state])).toEqual([
      ['/v2/demo/cancel/job-1', 'answered'],
      ['/v2/demo/cancel/job-1', 'answered'],
    ]);
  } finally {
    kill();
    await server.close();
  }
});

it.each([...rows.map((kind) => [kind, 'read'] as const), [rows[0]!, 'nothing']] as const)(
  'S13 a process ends without close(): %s, %s',
  async (kind, program) => {
    const server = await scriptedServer({ health: { body: { jobs: {}, workers: {} } } });
    const { exit, kill } = await run(kind, program, server.baseUrl);
    try {
      expect(await exit).toBe(0);
    } finally {
      kill();
      await server.close();
    }
  },
);

it('S13 a process ends after it unsubscribes from a waiting request', async () => {
  const server = await scriptedServer({ run: QUEUED });
  const { exit, kill } = await run('undici', 'unsubscribe from a waiting request', server.baseUrl);
  try {
    expect(await exit).toBe(0);
    expect(server.seen()).toHaveLength(1);
  } finally {
    kill();
    await server.close();
  }
});

it('S6 a process stays alive and repeats its cancel while the cancel fails', async () => {
  const late = held(QUEUED);
  const port = await freePort();
  const server = await scriptedServer({ run: late.step, cancel: { status: 503 } }, port);
  const { act, exit, kill } = await run('undici', 'unsubscribe', server.baseUrl);
  try {
    await server.until(() => server.waiting);
    await act();
    late.release();
    await server.until(() => server.seen('cancel').length === 5);
    kill();
    expect(await exit).toBe(null);
  } finally {
    kill();
    await server.close();
  }
});
