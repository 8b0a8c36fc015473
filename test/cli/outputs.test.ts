import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder } from './command.js';
import { service } from './service.js';

const prompt = JSON.stringify({ prompt: 'a fox' });
/** A device that is always full. */
const FULL = '/dev/full';

describe.skipIf(!existsSync(FULL))('an output that cannot be written', () => {
  test.each([
    [['run', 'fine', prompt]],
    [['run', 'fine', prompt, '--json']],
    [['health', 'fine']],
    [['doctor', 'fine']],
  ])('%j says so, and does not end well', async (args) => {
    const { run } = await service();
    const command = run(args, { outputFile: FULL });
    expect(await command.ended).toBe(1);
    expect(command.errors).toContain('the output could not be written: ENOSPC');
  });
});

test('an output whose reader has gone before the result came ends with 141', async () => {
  const { run } = await service();
  const command = run(['run', 'fine', prompt]);
  command.closeOutput();
  expect(await command.ended).toBe(141);
  expect(command.errors).not.toContain('error');
});

describe('files that results cannot go to are found before anything is sent', () => {
  test.each(['/dev/null', '.', 'file/results.jsonl'])('%s as the results', async (output) => {
    const { run, emulator } = await service();
    const cwd = folder();
    writeFileSync(join(cwd, 'inputs.jsonl'), `${prompt}\n`);
    writeFileSync(join(cwd, 'file'), '');
    const command = run(['pipeline', 'fine', 'inputs.jsonl', '-o', output, '--journal', 'journal'], { cwd });
    expect(await command.ended).toBe(2);
    expect(command.errors).toContain(output);
    expect(emulator.jobs()).toEqual([]);
  });

  test('a journal that is a file', async () => {
    const { run, emulator } = await service();
    const cwd = folder();
    writeFileSync(join(cwd, 'inputs.jsonl'), `${prompt}\n`);
    writeFileSync(join(cwd, 'out.journal'), '');
    const command = run(['pipeline', 'fine', 'inputs.jsonl', '-o', 'out.jsonl'], { cwd });
    expect(await command.ended).toBe(2);
    expect(command.errors).toMatch(/^error: the journal \S+ cannot be opened: \w+\n/);
    expect(emulator.jobs()).toEqual([]);
  });

  test('a failures file that cannot be written leaves an earlier file of results as it is', async () => {
    const { run } = await service();
    const cwd = folder();
    mkdirSync(join(cwd, 'failures'));
    writeFileSync(join(cwd, 'inputs.jsonl'), `${prompt}\n`);
    const args = ['pipeline', 'fine', 'inputs.jsonl', '-o', 'out.jsonl'];
    expect(await run(args, { cwd }).ended).toBe(0);
    const before = readFileSync(join(cwd, 'out.jsonl'), 'utf8');
    expect(await run([...args, '--failures', 'failures'], { cwd }).ended).toBe(2);
    expect(readFileSync(join(cwd, 'out.jsonl'), 'utf8')).toBe(before);
  });
});
