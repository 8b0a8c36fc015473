/**
 * What the emulator's ledger says about submissions, told apart by the `key` in their input.
 *
 * @param {{ jobs(): readonly object[], requests(): readonly object[] }} emulator
 */
export function payments(emulator) {
  const paid = new Map();
  for (const { input } of emulator.jobs()) paid.set(input.key, (paid.get(input.key) ?? 0) + 1);
  const runs = emulator.requests().filter(({ operation }) => operation === 'run');
  return {
    /** The keys that were submitted at least once. */
    taken: [...paid.keys()],
    submitted: emulator.jobs().length,
    /** How many jobs are there beyond one of each key. */
    doubles: emulator.jobs().length - paid.size,
    runs: runs.length,
    /** How many answers to `/run` the emulator's faults have lost: each leaves a submission of which nobody knows. */
    lostAnswers: runs.filter(({ failure }) => failure).length,
  };
}
