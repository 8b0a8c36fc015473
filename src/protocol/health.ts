import type { EndpointHealth, HealthJobs, HealthWorkers } from '../types/EndpointHealth.js';
import type { PurgeResult } from '../types/PurgeResult.js';
import { isRecord, parseJson } from './json.js';
import { wholeNumber } from './numbers.js';
import type { Parsed } from './Parsed.js';

const JOBS: HealthJobs = { completed: 0, failed: 0, inProgress: 0, inQueue: 0, retried: 0 };
const WORKERS: HealthWorkers = { idle: 0, running: 0 };

/** Reads an answer of `/health`. */
export function parseHealth(text: string): Parsed<EndpointHealth> {
  const raw = Object(parseJson(text)) as Readonly<Record<string, unknown>>;
  const { jobs, workers } = raw;
  return isRecord(jobs) && isRecord(workers)
    ? { value: { jobs: { ...JOBS, ...countsOf(jobs) }, workers: { ...WORKERS, ...countsOf(workers) }, raw } }
    : { issue: 'has no counts of jobs and workers' };
}

/** The counts among the members of an object, also those that this version does not know. */
function countsOf(members: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => {
      const count = wholeNumber(value);
      return count === undefined ? [] : [[name, count]];
    }),
  );
}

/** Reads an answer of `/purge-queue`. */
export function parsePurge(text: string): Parsed<PurgeResult> {
  const raw = Object(parseJson(text)) as Readonly<Record<string, unknown>>;
  const removed = wholeNumber(raw.removed);
  return removed === undefined
    ? { issue: 'does not say how many jobs were removed' }
    : { value: { removed, status: typeof raw.status === 'string' ? raw.status : '', raw } };
}
