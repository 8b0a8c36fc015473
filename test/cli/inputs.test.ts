import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readLines } from '../../src/cli/pipeline/readLines.js';
import { build, folder } from './command.js';
import { service } from './service.js';

const prompt = JSON.stringify({ prompt: 'a fox' });

describe.runIf(process.platform === 'linux')('an input that stays open', () => {
  test.each([
    ['run', ['run', 'fine', '-i', '-'], 'SIGINT', 130],
    ['run', ['run', 'fine', '-i', '-'], 'SIGTERM', 143],
    ['pipeline', ['pipeline', 'fine', '-', '-o', 'out.jsonl'], 'SIGINT', 130],
    ['pipeline', ['pipeline', 'fine', '-', '-o', 'out.jsonl'], 'SIGTERM', 143],
  ] as const)('does not keep %s %j from ending at %s', async (_name, args, signal, exitCode) => {
    const { run } = await service();
    const command = run(args, { cwd: folder(), input: `${prompt}\n`, inputStaysOpen: true });
    // Node itself listens to the others from its start.
    await expect.poll(() => command.listensTo('SIGHUP'), { timeout: 30_000 }).toBe(true);
    expect(await command.signal(signal)).toBe(exitCode);
  });

  test('does not keep a pipeline from ending whose endpoint is unknown', async () => {
    const { run } = await service();
    const command = run(['pipeline', 'missing', '-', '-o', 'out.jsonl'], {
      cwd: folder(),
      input: `${prompt}\n`,
      inputStaysOpen: true,
    });
    expect(await command.ended).toBe(3);
  });
});

test('inputs from a pipe of the shell are read once, and all of them', async () => {
  const { env } = await service();
  const cwd = folder();
  writeFileSync(join(cwd, 'inputs.jsonl'), `${prompt}\n{"prompt":"an owl"}\n`);
  const script = `exec "${process.execPath}" "${build()}" pipeline fine <(cat inputs.jsonl) -o out.jsonl`;
  await promisify(execFile)('bash', ['-c', script], { cwd, env: { ...process.env, ...env } });
  expect(readFileSync(join(cwd, 'out.jsonl'), 'utf8').split('\n')).toHaveLength(3);
});

test.each(['', 'k'.repeat(201), '\ud800'])(
  'a key that cannot name an input is found before anything is sent',
  async (id) => {
    const { run, emulator } = await service();
    const cwd = folder();
    writeFileSync(join(cwd, 'inputs.jsonl'), `{"id":"a"}\n${JSON.stringify({ id })}\n`);
    const command = run(['pipeline', 'fine', 'inputs.jsonl', '-o', 'out.jsonl', '--key', 'id'], { cwd });
    expect(await command.ended).toBe(2);
    expect(command.errors).toContain('line 2 of inputs.jsonl');
    expect(emulator.jobs()).toEqual([]);
  },
);

describe('lines that are long', () => {
  async function* chunks(total: number) {
    const chunk = Buffer.alloc(65_536, 'x');
    for (let sent = 0; sent < total; sent += chunk.length) yield await Promise.resolve(chunk);
  }

  test('are read in a time that grows with their length, and not with its square', async () => {
    const lengths: number[] = [];
    for await (const { text } of readLines(chunks(60_000_000))) lengths.push(text.length);
    expect(lengths).toEqual([60_030_976]);
  });

  test('that no job could take are refused', async () => {
    const read = async () => {
      for await (const { number } of readLines(chunks(80_000_000))) expect(number).toBe(1);
    };
    await expect(read()).rejects.toThrow('line 1 is too long');
  });
});
