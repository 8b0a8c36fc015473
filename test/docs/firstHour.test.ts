/**
 * The programs of the pages that a newcomer reads first, against `runpod-rx emulate --sample` as a process of its own: they run as
 * pasted, and end in a sentence where the key is wrong.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawn, type ChildProcess } from 'node:child_process';
import { build } from '../cli/command.js';
import { cleanUp, execute, printsError, snippetsIn } from './snippets.js';

const KEY = 'a-key-of-the-tests';

const programs = ['README.md', 'docs/getting-started.md']
  .flatMap((file) => snippetsIn(file, undefined, /^(js|ts)$/))
  .map((snippet) => ({ ...snippet, title: `${snippet.file}:${snippet.line}` }));

let emulator: ChildProcess;
let baseUrl: string;

beforeAll(async () => {
  emulator = spawn(process.execPath, [build(), 'emulate', '--sample', '--port', '0', '--key', KEY], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  baseUrl = await new Promise((resolve, reject) => {
    let output = '';
    emulator.stdout!.on('data', (data: Buffer) => {
      output += data.toString();
      const url = /base URL +(\S+)/.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    });
    emulator.once('close', () => reject(new Error(`the emulator has ended: ${output}`)));
  });
});

afterAll(() => {
  emulator.kill('SIGKILL');
  cleanUp();
});

describe.each(programs)('the program at $title', (program) => {
  /** Some programs bring a RunPod of their own, and no key. */
  const sendsKey = !program.code.includes('startEmulator');

  test('runs as it is pasted', async () => {
    const { error, stderr } = await execute(program, { RUNPOD_BASE_URL: baseUrl, RUNPOD_API_KEY: KEY });
    expect(error, stderr).toBeUndefined();
    expect(stderr).toBe('');
  });

  test.runIf(sendsKey)('ends in a sentence, not in a stack, where the key is wrong', async () => {
    const { error, stdout, stderr } = await execute(program, { RUNPOD_BASE_URL: baseUrl, RUNPOD_API_KEY: 'wrong' });
    expect(error, stderr).toBeUndefined();
    expect(printsError(stderr), stderr).toBe(false);
    expect(`${stdout}${stderr}`).toMatch(/API key/);
    expect(`${stdout}${stderr}`).not.toContain(KEY);
  });
});

test('there are programs to run', () => {
  expect(programs.map(({ file }) => file)).toEqual(expect.arrayContaining(['README.md', 'docs/getting-started.md']));
  expect(programs.length).toBeGreaterThan(10);
});
