/**
 * One small change to the source for each rule of behaviour: what a careless edit might do. `npm run mutants` makes each
 * in a copy of the tree and expects the test named beside it to fail.
 *
 *   rule     the rule's number
 *   file     the file to change
 *   find     text that stands in it exactly once
 *   replace  what to put in its place
 *   test     the test file that must fail
 *   name     part of the name of the test that must fail, when not just any in the file will do
 *
 * For example:
 *
 *   {
 *     rule: 'S11',
 *     file: 'src/sources/PollPolicy.ts',
 *     find: 'age * 0.1',
 *     replace: 'age * 0.2',
 *     test: 'test/sources/PollPolicy.test.ts',
 *     name: 'S11 asks again after a tenth of the age',
 *   },
 *
 * @type {{ rule: string, file: string, find: string, replace: string, test: string, name?: string }[]}
 */
export const mutants = [];
