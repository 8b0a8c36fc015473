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
export const equivalent = [
  {
    file: 'src/http/retryCall.ts',
    line: 'if (reply.status < 300) return undefined;',
    change: 'reply.status < 300 → false',
    reason: 'The rule for a status below 300 repeats nothing, so the lines below give undefined as well.',
  },
  {
    file: 'src/http/retryCall.ts',
    line: 'if (reply.status < 300) return undefined;',
    change: 'reply.status < 300 → reply.status <= 300',
    reason: 'The rule for a 300 repeats nothing, so the lines below give undefined as well.',
  },
  {
    file: 'src/http/RateLimiter.ts',
    line: '#endedAt: number[] = [];',
    change: '[] → ["Stryker was here"]',
    reason: 'A text that is no time is not within any window, and is taken out when places are first counted.',
  },
];
