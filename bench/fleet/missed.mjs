/**
 * The names of the figures of a line that are worse than asked. All jobs must be finished, each submitted once, and no
 * request refused.
 *
 * @param {ReturnType<typeof import('./lineOf.mjs').lineOf>} line
 * @param {Record<string, number>} asked - the most that a figure may be
 */
export function missed(line, asked) {
  return [
    line.finished === line.jobs ? '' : 'finished',
    line.submitted === undefined ? '' : 'submitted',
    line.refused === 0 ? '' : 'refused',
    ...Object.entries(asked).map(([figure, most]) => (line[figure] <= most ? '' : figure)),
  ].filter(Boolean);
}
