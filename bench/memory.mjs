/**
 * How much heap a job in flight takes, and whether the heap stays flat in a long pipeline. Each figure comes from a process
 * of its own, after a forced garbage collection.
 */
import { child } from './lib/child.mjs';
import { hasRunAll } from './lib/pipeline.mjs';
import { round } from './lib/round.mjs';

const KB = 1024;
/** How many kilobytes of heap a job may take, in a pipeline and by itself. */
const ASKED = { runAll: 1.5, job: 4.5 };
const CONCURRENCY = 100;
/** How much larger the heap may be at the end than after a tenth of the inputs, in MB: one byte for each of a million. */
const FLAT = 1;

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function memory({ quick = false } = {}) {
  const inputs = quick ? 50_000 : 1_000_000;
  const hold = async (what, jobs) => {
    const { bytesPerJob } = await run('hold', what, jobs);
    const kilobytes = round(bytesPerJob / KB);
    return { what, jobs, kilobytesPerJob: kilobytes, asked: ASKED[what], ok: kilobytes <= ASKED[what] };
  };
  const held = [await hold('job', 5_000)];
  if (hasRunAll) held.push(await hold('runAll', quick ? 20_000 : 100_000));
  const through = hasRunAll ? await pass(inputs) : { ok: false, missing: 'runAll' };
  return {
    name: 'memory: what jobs in flight keep, and what a long pipeline does',
    ok: through.ok && held.every(({ ok }) => ok),
    asked: { kilobytesPerJob: ASKED, ahead: CONCURRENCY + 1, heapGrowthMB: FLAT },
    held,
    through,
  };
}

async function pass(inputs) {
  const { done, ahead, heap, cpuMicroseconds } = await run('through', inputs, CONCURRENCY);
  const heapMB = heap.map((bytes) => round(bytes / KB / KB, 1));
  const growthMB = round((Math.max(...heap.slice(-3)) - heap[0]) / KB / KB, 2);
  const ok = done === inputs && ahead <= CONCURRENCY + 1 && growthMB <= FLAT;
  return {
    inputs,
    concurrency: CONCURRENCY,
    done,
    ahead,
    heapMB,
    growthMB,
    cpuMicroseconds: round(cpuMicroseconds, 0),
    ok,
  };
}

function run(script, ...args) {
  return child(new URL(`memory/${script}.mjs`, import.meta.url), args.map(String), ['--expose-gc']);
}
