/**
 * Changes that no test can notice, because the program does the same with them. Each says why.
 *
 *   file     the file of src/
 *   line     the line in which the change begins, without the space around it
 *   change   what is changed, as `npm run mutants` prints it: original → replacement
 *   reason   why the program does the same
 *
 * `npm run mutants` complains about a row that matches nothing any more, or whose change a test notices by now.
 *
 * @type {{ file: string, line: string, change: string, reason: string }[]}
 */
export const equivalent = [];
