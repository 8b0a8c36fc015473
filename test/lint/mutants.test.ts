import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Row {
  file: string;
  area: string;
  killed: number;
  timeout: number;
  survived: number;
  uncovered: number;
  equivalent: number;
}
interface Known {
  file: string;
  line: string;
  change: string;
  reason: string;
}
interface Summary {
  rows: Row[];
  survivors: { at: string; line: string; change: string; covered: boolean }[];
  outdated: Known[];
}

const { mergeRows, page, readRows, score, summarize } = (await import(
  fileURLToPath(new URL('../../scripts/mutants/summary.mjs', import.meta.url))
)) as {
  mergeRows: (earlier: Row[], run: Row[], isInArea: (area: string, file: string) => boolean) => Row[];
  page: (rows: Row[]) => string;
  readRows: (page: string) => Row[];
  score: (row: Row) => number;
  summarize: (area: string, results: object[], equivalent: Known[], textOf: (file: string) => string) => Summary;
};

const row = (file: string, area: string, killed = 1): Row => ({
  file,
  area,
  killed,
  timeout: 1,
  survived: 2,
  uncovered: 0,
  equivalent: 3,
});

const source = 'const a = 1;\n  if (a > 0 &&\n    a < 2) go();\n';
const mutant = (
  status: string,
  [line, column, endLine, endColumn]: [number, number, number, number],
  replacement = '',
) => ({
  fileName: 'src/a.ts',
  status,
  mutatorName: 'A',
  replacement,
  location: { start: { line, column }, end: { line: endLine, column: endColumn } },
});
const results = [
  mutant('Killed', [1, 1, 1, 2]),
  mutant('RuntimeError', [1, 1, 1, 2]),
  mutant('Timeout', [1, 1, 1, 2]),
  mutant('NoCoverage', [1, 11, 1, 12], '2'),
  mutant('Survived', [2, 7, 3, 10], 'true'),
  mutant('Ignored', [1, 1, 1, 2]),
];
const listed: Known = { file: 'src/a.ts', line: 'if (a > 0 &&', change: 'a > 0 && a < 2 → true', reason: 'it is 1' };

test('counts mutants by file, and names the survivors', () => {
  const { rows, survivors, outdated } = summarize('one', results, [], () => source);
  expect(rows).toEqual([
    { file: 'src/a.ts', area: 'one', killed: 2, timeout: 1, survived: 1, uncovered: 1, equivalent: 0 },
  ]);
  expect(score(rows[0]!)).toBe(60);
  expect(survivors).toMatchObject([
    { at: 'src/a.ts:1:11', line: 'const a = 1;', change: '1 → 2', covered: false },
    { at: 'src/a.ts:2:7', line: 'if (a > 0 &&', change: 'a > 0 && a < 2 → true', covered: true },
  ]);
  expect(outdated).toEqual([]);
});

test('leaves out survivors that are explained, and names explanations that match none', () => {
  const stale = { ...listed, change: 'a → b' };
  const elsewhere = { ...listed, file: 'src/other.ts' };
  const { rows, survivors, outdated } = summarize('one', results, [listed, stale, elsewhere], () => source);
  expect(rows).toMatchObject([{ survived: 0, equivalent: 1 }]);
  expect(score(rows[0]!)).toBe(75);
  expect(survivors).toHaveLength(1);
  expect(outdated).toEqual([stale]);
});

test('a page gives back its rows', () => {
  const rows = [row('src/a.ts', 'one'), row('src/b.ts', 'two')];
  expect(readRows(page(rows))).toEqual(rows);
});

test('a run replaces the rows of its files, and what is in no area any more goes', () => {
  const earlier = [row('src/a.ts', 'one'), row('src/b.ts', 'two'), row('src/c.ts', 'two'), row('src/d.ts', 'three')];
  const isInArea = (area: string, file: string) => area !== 'three' && file !== 'src/c.ts';
  expect(mergeRows(earlier, [row('src/e.ts', 'two', 7), row('src/d.ts', 'two', 7)], isInArea)).toEqual([
    row('src/a.ts', 'one'),
    row('src/b.ts', 'two'),
    row('src/d.ts', 'two', 7),
    row('src/e.ts', 'two', 7),
  ]);
});
