import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { child } from './child.mjs';

/**
 * Two processes find the journal of a killed one at the same moment, again and again: one of them must own it, and have all
 * that the owners before have written.
 */
export async function owners({ rounds }) {
  const folder = mkdtempSync(join(tmpdir(), 'runpod-rx-owners-'));
  const path = join(folder, 'jobs.journal');
  let wrong = 0;
  const refusals = new Set();
  try {
    for (let round = 1; round <= rounds; round++) {
      const at = Date.now() + 400;
      const both = [child('owner.mjs', { path, at }), child('owner.mjs', { path, at })];
      await Promise.all(both.map((one) => one.next()));
      const answers = await Promise.all(both.map((one) => one.next()));
      await Promise.all(both.map((one) => one.kill()));
      const owning = answers.filter(({ owner }) => owner);
      if (owning.length !== 1 || owning[0].rows !== round) {
        wrong++;
        console.log(`    round ${round}: ${JSON.stringify(answers)}`);
      }
      for (const { message } of answers)
        if (message) refusals.add(message.replace(/^.* is owned by /, '').replace(/\d+/g, 'N'));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { rounds, wrong, refusals: [...refusals] };
}
