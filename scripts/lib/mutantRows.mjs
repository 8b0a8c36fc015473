import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a table lacks as a whole, whichever of its rows are run. */
export function gapsOf({ mutants, rules = [], notBuilt = {} }) {
  const ruled = new Set(mutants.map(({ rule }) => rule));
  return [
    ...rules.filter((rule) => !ruled.has(rule) && !notBuilt[rule]).map((rule) => `${rule} has no row`),
    ...rules
      .filter((rule) => ruled.has(rule) && notBuilt[rule])
      .map((rule) => `${rule} has rows, and is said not to be built`),
    ...(rules.length ? [...ruled, ...Object.keys(notBuilt)] : [])
      .filter((rule) => !rules.includes(rule))
      .map((rule) => `${rule} is no rule`),
  ];
}

/** What is wrong with a row, as the tree below root says without running anything. */
export function faultOf(root, { file, find, replace, test }) {
  if (!existsSync(join(root, file))) return `${file} does not exist`;
  if (!existsSync(join(root, test))) return `${test} does not exist`;
  if (find === replace) return 'it changes nothing';
  const times = readFileSync(join(root, file), 'utf8').split(find).length - 1;
  return times === 1 ? undefined : `the text to find occurs ${times} times in ${file}`;
}

/** What is wrong with a table: a line for each fault. */
export function faultsOf(root, table) {
  return [
    ...gapsOf(table),
    ...table.mutants.flatMap((row) => {
      const fault = faultOf(root, row);
      return fault ? [`${row.rule} ${row.file}: ${fault}: ${row.find.replace(/\s+/g, ' ')}`] : [];
    }),
  ];
}
