import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Row {
  readonly name: string;
  readonly transport: string;
  readonly needs: string;
}

test('docs/platforms.md has the rows of the matrix', async () => {
  const { rows } = (await import(new URL('../../scripts/matrix/rows.mjs', import.meta.url).href)) as { rows: Row[] };
  const page = readFileSync(new URL('../../docs/platforms.md', import.meta.url), 'utf8');
  const [, table = ''] = /^\| Platform .*\n\| -.*\n((?:\|.*\n)+)/m.exec(page) ?? [];
  const cells = table
    .trim()
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  expect(cells).toEqual(rows.map(({ name, transport, needs }) => [name, transport, needs]));
});
