import type { EndpointHealth, HealthJobs, HealthWorkers } from '../types/EndpointHealth.js';
import type { PurgeResult } from '../types/PurgeResult.js';
import { isRecord, parseJson } from './json.js';
import type { Parsed } from './Parsed.js';

const JOBS: HealthJobs = { completed: 0, failed: 0, inProgress: 0, inQueue: 0, retried: 0 };
const WORKERS: HealthWorkers = { idle: 0, running: 0 };

/** Reads an answer of `/health`. */
export function parseHealth(text: string): Parsed<EndpointHealth> {
  const raw = parseJson(text);
  if (!isRecord(raw) || !isRecord(raw.jobs) || !isRecord(raw.workers))
    return { issue: 'has no counts of jobs and workers' };
  return { value: { jobs: { ...JOBS, ...raw.jobs }, workers: { ...WORKERS, ...raw.workers }, raw } };
}

/** Reads an answer of `/purge-queue`. */
export function parsePurge(text: string): Parsed<PurgeResult> {
  const raw = parseJson(text);
  if (!isRecord(raw) || typeof raw.removed !== 'number') return { issue: 'does not say how many jobs were removed' };
  return { value: { removed: raw.removed, status: String(raw.status), raw } };
}
