import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { startEmulator } from 'runpod-rx/emulator';
import { KEY, openEvents, statuses } from './support.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folders = { 12: root, 11: join(root, 'test/nestjs/nest11') } as const;

/** The program, where it finds the packages of one major of Nest. */
async function built(major: keyof typeof folders): Promise<string> {
  const outfile = join(folders[major], '.cache/nest-shutdown.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('./program/main.ts', import.meta.url))],
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    // The library is a part of it.
    alias: { 'runpod-rx': './src/index.ts', 'runpod-rx/nestjs': './src/nestjs/index.ts', '#undici': 'undici' },
    outfile,
    logLevel: 'silent',
  });
  const { version } = createRequire(outfile)('@nestjs/core/package.json') as { version: string };
  expect(version.split('.')[0]).toBe(String(major));
  return outfile;
}

test.each([12, 11] as const)('Nest %i: SIGTERM with an open stream ends the process, and its job', async (major) => {
  const emulator = await startEmulator({
    endpoints: { demo: { handler: (_, { delay }) => delay(3_600_000) } },
    keys: [KEY],
  });
  onTestFinished(() => emulator.close());
  const env = { ...process.env, RUNPOD_API_KEY: KEY, RUNPOD_BASE_URL: emulator.baseUrl };
  const child = fork(await built(major), { env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve(message as string));
    child.once('exit', (code) => reject(new Error(`the program ended with ${String(code)}`)));
  });
  const stream = await openEvents(`${url}/stream?prompt=hello`);
  await expect.poll(() => statuses(emulator)).toEqual(['IN_PROGRESS']);
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  child.kill('SIGTERM');
  expect(await ended).toBe('SIGTERM');
  await stream.ended;
  expect(stream.types().at(-1)).toBe('error');
  expect(statuses(emulator)).toEqual(['CANCELLED']);
});
