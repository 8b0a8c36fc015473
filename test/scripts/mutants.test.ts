import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** One row of the table: where to change what. */
interface Row {
  readonly rule: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly test: string;
}

/** The scripts have no types. */
const script = (path: string): Promise<unknown> =>
  import(/* @vite-ignore */ new URL(`../../scripts/${path}`, import.meta.url).href);
const { faultsOf } = (await script('lib/mutantRows.mjs')) as {
  faultsOf(root: string, table: object): string[];
};

test('each row of the table of mutants finds its text in the source', async () => {
  expect(faultsOf(root, (await script('mutants.table.mjs')) as object)).toEqual([]);
});

test.each<[string, Partial<Row>, string]>([
  ['whose text is gone', { find: 'no such text' }, 'occurs 0 times'],
  ['whose text is not clear', { find: 'test' }, 'occurs'],
  ['whose file is gone', { file: 'src/gone.ts' }, 'src/gone.ts does not exist'],
  ['whose test is gone', { test: 'test/gone.test.ts' }, 'test/gone.test.ts does not exist'],
  ['that changes nothing', { replace: '"runpod-rx",' }, 'it changes nothing'],
])('a row %s is a fault', (_, wrong, fault) => {
  const row: Row = {
    rule: 'S1',
    file: 'package.json',
    find: '"runpod-rx",',
    replace: '',
    test: 'test/scripts/mutants.test.ts',
  };
  expect(faultsOf(root, { mutants: [row] })).toEqual([]);
  expect(faultsOf(root, { mutants: [{ ...row, ...wrong }] })).toEqual([expect.stringContaining(fault)]);
});

test('a rule without a row is a fault', () => {
  expect(faultsOf(root, { mutants: [], rules: ['S1'] })).toEqual(['S1 has no row']);
});
