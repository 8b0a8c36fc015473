import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EXIT } from '../../src/cli/jobs/exitCodes.js';
import { program } from '../../src/cli/program.js';

const page = readFileSync(new URL('../../docs/command.md', import.meta.url), 'utf8');

test('the page of the command has each exit code', () => {
  const codes = [...page.matchAll(/^\| (\d+) +\|/gm)].map(([, code]) => Number(code));
  expect(codes).toEqual(Object.values(EXIT).sort((one, other) => one - other));
});

test('the page of the command has each command', () => {
  for (const command of program(process).commands) expect(page).toMatch(new RegExp(`\\| .*\`${command.name()}\\b`));
});

test('the page of the command has each option of the pipeline', () => {
  const pipeline = program(process).commands.find((command) => command.name() === 'pipeline');
  const common = ['--json', '--base-url', '--key-file', '--output'];
  for (const { long } of pipeline?.options ?? [])
    if (!common.includes(String(long))) expect(page).toContain(`\`${String(long)}\``);
});
