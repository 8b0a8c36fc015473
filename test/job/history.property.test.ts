import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seed } from '../support/seed.js';
import { history } from './history/History.js';
import { lacking, least, met, nothing, summary } from './history/coverage.js';
import { violations } from './history/invariants.js';
import { play } from './history/play.js';

/**
 * - `HISTORY_RUNS`: how many histories; 1 000 by default.
 * - `SEED`, `HISTORY_PATH`: repeat a run that failed, with the values that it printed.
 * - `HISTORY_REPORT`: a file for the cases that were covered, as JSON.
 */
const { HISTORY_RUNS: runs = '1000', HISTORY_PATH: path, HISTORY_REPORT: report } = process.env;
const numRuns = Number(runs);

test(
  'S1 S4 S5 S6 S8 S10 S13 S16 S18 whatever the server and the subscribers do, a job is paid once, ends when it is ' +
    'released, and loses nothing silently',
  { timeout: 120_000 + numRuns * 100 },
  () => {
    const coverage = nothing();
    let played = 0;
    let failed = false;
    try {
      fc.assert(
        fc.property(history, (one) => {
          const came = play(one);
          const found = violations(came);
          // Histories that are played to shrink a failing one do not count.
          failed ||= found.length > 0;
          expect(found).toEqual([]);
          if (failed) return;
          played++;
          for (const kind of met(came)) coverage[kind]++;
        }),
        { numRuns, seed, ...(path && { path }) },
      );
    } finally {
      if (report) writeFileSync(report, JSON.stringify({ played, coverage, least }));
      process.stdout.write(`${played} histories, SEED=${seed}: ${summary(coverage)}\n`);
    }
    // The histories cover the cases that they are about. Of a part of more histories, the whole is judged.
    if (!path && !report) expect(lacking(coverage, numRuns)).toEqual([]);
  },
);
