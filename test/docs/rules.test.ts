import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const page = new URL('../../docs/rules.md', import.meta.url);
const text = readFileSync(page, 'utf8');
const links = (part: string) => [...part.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => new URL(path!, page));

/** The sections of the rules, by number. */
const rules = text.split(/^### /m).slice(1);

test('the rules are numbered without a gap', () => {
  expect(rules.map((rule) => /^S\d+/.exec(rule)?.[0])).toEqual(rules.map((_, index) => `S${index + 1}`));
});

const numbered = rules.map((rule) => [/^S\d+/.exec(rule)![0], rule] as const);

test.each(numbered)('%s links to files that exist', (_, rule) => {
  for (const url of links(rule)) expect(existsSync(url), fileURLToPath(url)).toBe(true);
});

/** Rules that nothing keeps yet name no tests. */
const kept = numbered.filter(([, rule]) => rule.includes('Kept by'));

test.each(kept)('%s names tests whose titles have its number', (number, rule) => {
  const tests = links(rule.slice(rule.indexOf('Tests: ')));
  expect(tests.length).toBeGreaterThan(0);
  for (const url of tests) expect(readFileSync(url, 'utf8'), fileURLToPath(url)).toMatch(new RegExp(`\\b${number}\\b`));
});

test('ARCHITECTURE.md links to files that exist', () => {
  const root = new URL('../../ARCHITECTURE.md', import.meta.url);
  for (const [, path] of readFileSync(root, 'utf8').matchAll(/\]\(([^)#]+)\)/g))
    expect(existsSync(new URL(path!, root)), path).toBe(true);
});
