/** The examples of one file, copied into an application that has installed the packed package. */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { install, type Consumer } from './consumer.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const KEY = 'a-key-of-the-tests';

let consumer: Consumer;
let baseUrl: string;
let stop: () => void;

beforeAll(async () => {
  consumer = await install();
  cpSync(join(root, 'examples/one-file'), join(consumer.folder, 'one-file'), { recursive: true });
  // Vitest is there already.
  mkdirSync(join(consumer.folder, 'node_modules'), { recursive: true });
  symlinkSync(join(root, 'node_modules/vitest'), join(consumer.folder, 'node_modules/vitest'), 'junction');
  const command = join(consumer.folder, 'node_modules/runpod-rx/dist/cli.js');
  const emulator = spawn(process.execPath, [command, 'emulate', '--sample', '--port', '0', '--key', KEY]);
  stop = () => emulator.kill('SIGKILL');
  baseUrl = await new Promise((resolve) => {
    let output = '';
    emulator.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const url = /base URL +(\S+)/.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    });
  });
});

afterAll(() => {
  stop();
  rmSync(consumer.folder, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of Node in the folder of the application. */
function node(key: string, ...args: readonly string[]): Promise<Outcome> {
  const { NODE_OPTIONS: _options, VITEST: _vitest, ...env } = process.env;
  const options = { cwd: consumer.folder, env: { ...env, RUNPOD_BASE_URL: baseUrl, RUNPOD_API_KEY: key } };
  return new Promise((resolve) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

describe.each([
  ['script.mjs', 'a boat', /^\{ text: 'A BOAT' \}\n$/],
  ['tokens.mjs', 'once upon a time', /^once upon a time \n$/],
  ['prompts.mjs', '60', /^(\{"text":"PICTURE \d+"\}\n){60}$/],
])('%s', (file, argument, expected) => {
  test('runs', async () => {
    const { code, stdout, stderr } = await node(KEY, `one-file/${file}`, argument);
    expect(stdout, stderr).toMatch(expected);
    expect(code).toBe(0);
    if (file === 'prompts.mjs') expect(stderr).toMatch(/60 of 60, 0 failed, [\d.]+\/s, about \$0\.\d{4}\n$/);
  });

  test('ends in a sentence where the key is wrong', async () => {
    const { code, stderr } = await node('wrong', `one-file/${file}`, argument);
    expect(code).toBe(1);
    expect(stderr).toContain('API key');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

test('the first program of README.md streams its tokens', async () => {
  const [, program] = /```js\n([^]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))!;
  writeFileSync(join(consumer.folder, 'first.mjs'), program!);
  const { code, stdout, stderr } = await node(KEY, 'first.mjs');
  expect(stdout, stderr).toBe('once upon a time a GPU was rented by the second \n');
  expect(code).toBe(0);
});

test('the tests for Vitest pass', async () => {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const where = ['--root', join(consumer.folder, 'one-file')];
  const { code, stdout, stderr } = await node(KEY, vitest, 'run', ...where, 'captions.vitest.test.mjs');
  expect(code, `${stdout}${stderr}`).toBe(0);
  expect(stdout).toMatch(/3 passed/);
});
