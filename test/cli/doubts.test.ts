import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { changedNumber } from '../../src/cli/jobs/changedNumber.js';
import { folder } from './command.js';
import { service } from './service.js';

/** A seed of 64 bits, and what JavaScript makes of it. */
const SEED = '1061893478924789172';
const ROUNDED = '1061893478924789120';

test.each([
  ['a whole number beyond 2^53', `{"a":1,"seed":${SEED}}`, SEED],
  ['a negative one', `{"seed":-${SEED}}`, `-${SEED}`],
  ['the first of two', `[9007199254740993,${SEED}]`, '9007199254740993'],
  ['one that JavaScript holds', '[9007199254740992, 1000000000000000000, -12]', undefined],
  ['one in a text', `{"a":"say \\"${SEED}\\"","${SEED}":"\\\\"}`, undefined],
  ['fractions and exponents, which are rounded everywhere', `[0.${SEED}, ${SEED}.5, 1e400]`, undefined],
  ['one that is too large altogether', `[${'9'.repeat(400)}]`, undefined],
  ['a long text', JSON.stringify(`\\"${'x'.repeat(12_000_000)}\\`), undefined],
])('a number that JavaScript rounds is found: %s', (_, json, found) => {
  expect(changedNumber(json)).toBe(found);
});

test('run says which number is not sent as it is written', async () => {
  const { run, emulator } = await service();
  const command = run(['run', 'fine', `{"prompt":"a","seed":${SEED}}`]);
  expect(await command.ended).toBe(0);
  expect(command.errors).toContain(
    `the input: ${SEED} is sent as ${ROUNDED}, since JavaScript has no more digits; as a text, it stays what it is\n`,
  );
  expect(emulator.jobs()[0]?.input).toMatchObject({ seed: Number(SEED) });
});

test('run says where the body of a request is given in the place of an input', async () => {
  const { run, emulator } = await service();
  const command = run(['run', 'fine', '{"input":{"prompt":"a"}}']);
  expect(await command.ended).toBe(0);
  expect(command.errors).toContain('the input has nothing but "input": the endpoint gets it with that around it\n');
  expect(emulator.jobs()[0]?.input).toEqual({ input: { prompt: 'a' } });
});

test('a pipeline over a file that is not there says so, and makes no files', async () => {
  const { run } = await service();
  const cwd = folder();
  const command = run(['pipeline', 'fine', 'none.jsonl', '-o', 'out.jsonl'], { cwd });
  expect(await command.ended).toBe(2);
  expect(command.errors).toBe('error: none.jsonl cannot be read: ENOENT\n');
  expect(readdirSync(cwd)).toEqual([]);
});

test('pipeline says it once', async () => {
  const { run } = await service();
  const cwd = folder();
  writeFileSync(join(cwd, 'in.jsonl'), [1, SEED, SEED].map((seed) => `{"prompt":"a","seed":${seed}}\n`).join(''));
  const command = run(['pipeline', 'fine', 'in.jsonl', '-o', 'out.jsonl'], { cwd });
  expect(await command.ended).toBe(0);
  expect(command.errors.match(/.*no more digits/g)).toEqual([
    `line 2 of in.jsonl: ${SEED} is sent as ${ROUNDED}, since JavaScript has no more digits`,
  ]);
});
