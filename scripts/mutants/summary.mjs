/** What became of the mutants, by file, and the page that says so: docs/mutants.md. */

/** The least part of a file's mutants that tests must notice, in percent. */
export const GOAL = 90;

/**
 * The mutants of one file: how many were noticed (`killed`, `timeout`), how many were not (`survived`, `uncovered`), and
 * how many survivors cannot be noticed (`equivalent`, explained in scripts/mutants/equivalent.mjs).
 *
 * @typedef {{ file: string, area: string, killed: number, timeout: number, survived: number, uncovered: number,
 *   equivalent: number }} Row
 */
const counts = ['killed', 'timeout', 'survived', 'uncovered', 'equivalent'];

/** Where Stryker's words go in a row. A run that ends with an error outside of a test has noticed the mutant as well. */
const columnOf = {
  Killed: 'killed',
  RuntimeError: 'killed',
  Timeout: 'timeout',
  Survived: 'survived',
  NoCoverage: 'uncovered',
};

/** How many of a hundred mutants the tests notice, without the equivalent ones. */
export function score({ killed, timeout, survived, uncovered }) {
  const total = killed + timeout + survived + uncovered;
  return total === 0 ? 100 : (100 * (killed + timeout)) / total;
}

/** A mutant as the list of equivalent ones names it: its file, the line in which it begins, and what is changed. */
function describe({ fileName, location: { start, end }, replacement }, textOf) {
  const lines = textOf(fileName).split('\n');
  const first = lines[start.line - 1];
  const original =
    start.line === end.line
      ? first.slice(start.column - 1, end.column - 1)
      : [
          first.slice(start.column - 1),
          ...lines.slice(start.line, end.line - 1),
          lines[end.line - 1].slice(0, end.column - 1),
        ]
          .map((line) => line.trim())
          .join(' ');
  return {
    file: fileName,
    at: `${fileName}:${start.line}:${start.column}`,
    line: first.trim(),
    change: `${original} → ${replacement.replaceAll(/\s*\n\s*/g, ' ')}`,
  };
}

/**
 * Sums up what Stryker found in an area.
 *
 * @param area - the name of the area
 * @param results - Stryker's mutants, with paths from the root of the repository
 * @param equivalent - the list of equivalent mutants
 * @param textOf - gives the text of a file
 * @returns the rows; the survivors that are not explained; the rows of the list that are out of date
 */
export function summarize(area, results, equivalent, textOf) {
  const rows = new Map();
  const survivors = [];
  const used = new Set();
  for (const mutant of results) {
    if (!(mutant.status in columnOf)) continue;
    const { file, ...place } = describe(mutant, textOf);
    const row = rows.get(file) ?? { file, area, ...Object.fromEntries(counts.map((name) => [name, 0])) };
    rows.set(file, row);
    const column = columnOf[mutant.status];
    const unnoticed = column === 'survived' || column === 'uncovered';
    const explained =
      unnoticed &&
      equivalent.find((known) => known.file === file && known.line === place.line && known.change === place.change);
    if (explained) used.add(explained);
    else if (unnoticed) survivors.push({ file, ...place, mutator: mutant.mutatorName, covered: column === 'survived' });
    row[explained ? 'equivalent' : column] += 1;
  }
  return {
    rows: [...rows.values()],
    survivors,
    outdated: equivalent.filter((known) => rows.has(known.file) && !used.has(known)),
  };
}

/** The rows that stand in a page. */
export function readRows(page) {
  return page.split('\n').flatMap((line) => {
    const [file, area, ...numbers] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    if (!file?.startsWith('`src/')) return [];
    return [
      { file: file.slice(1, -1), area, ...Object.fromEntries(counts.map((name, nth) => [name, Number(numbers[nth])])) },
    ];
  });
}

/**
 * The rows of a run in place of the earlier ones of its files. A file that is in its area no more leaves no row behind.
 *
 * @param isInArea - whether a file is mutated in an area
 */
export function mergeRows(earlier, run, isInArea) {
  const files = new Set(run.map(({ file }) => file));
  const kept = earlier.filter(({ area, file }) => isInArea(area, file) && !files.has(file));
  return [...kept, ...run].sort((a, b) => a.file.localeCompare(b.file));
}

/** The whole page. */
export function page(rows) {
  const cells = (row) => [
    `\`${row.file}\``,
    row.area,
    ...counts.map((name) => row[name]),
    `${score(row).toFixed(1)} %`,
  ];
  return `# Mutation tests

\`\`\`sh
npm run mutants -- submission
\`\`\`

The command changes the core of the library in one place after the other, by Stryker, and runs the tests that reach the place. A change that no test notices has survived: a test is missing, or the change makes no difference. The areas are in \`scripts/mutants/areas.mjs\`. The changes that make no difference are in \`scripts/mutants/equivalent.mjs\`, each with the reason. Of the others, tests must notice at least ${GOAL} % in each file.

It also writes this page: a run replaces the rows of the files that it mutates.

| File | Area | Killed | Timeout | Survived | No coverage | Equivalent | Score |
| --- | --- | --: | --: | --: | --: | --: | --: |
${rows.map((row) => `| ${cells(row).join(' | ')} |`).join('\n')}

- **Killed**: a test failed, or an error was thrown outside of one. **Timeout**: the tests did not end, so the change was noticed, too.
- **Survived**: every test passed. **No coverage**: no test of the area reaches the place.
- **Equivalent**: survived and explained; not part of the score.
`;
}
