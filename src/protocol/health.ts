import type { EndpointHealth, HealthJobs, HealthWorkers } from '../types/EndpointHealth.js';
import type { PurgeResult } from '../types/PurgeResult.js';
import { isRecord, parseJson } from './json.js';
import type { Parsed } from './Parsed.js';

const JOBS: HealthJobs = { completed: 0, failed: 0, inProgress: 0, inQueue: 0, retried: 0 };
const WORKERS: HealthWorkers = { idle: 0, running: 0 };

/** Reads an answer of `/health`. */
export function parseHealth(text: string): Parsed<EndpointHealth> {
  const raw = Object(parseJson(text)) as Readonly<Record<string, unknown>>;
  const { jobs, workers } = raw;
  return isRecord(jobs) && isRecord(workers)
    ? { value: { jobs: { ...JOBS, ...jobs }, workers: { ...WORKERS, ...workers }, raw } }
    : { issue: 'has no counts of jobs and workers' };
}

/** Reads an answer of `/purge-queue`. */
export function parsePurge(text: string): Parsed<PurgeResult> {
  const raw = Object(parseJson(text)) as Readonly<Record<string, unknown>>;
  const { removed, status } = raw;
  return typeof removed === 'number'
    ? { value: { removed, status: String(status), raw } }
    : { issue: 'does not say how many jobs were removed' };
}
