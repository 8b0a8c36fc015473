import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { PurgeResult } from '../types/PurgeResult.js';
import { isRecord, parseJson } from './json.js';
import type { Parsed } from './Parsed.js';

/** Reads an answer of `/health`. */
export function parseHealth(text: string): Parsed<EndpointHealth> {
  const raw = parseJson(text);
  if (!isRecord(raw) || !isRecord(raw.jobs) || !isRecord(raw.workers))
    return { issue: 'has no counts of jobs and workers' };
  const count = (from: Readonly<Record<string, unknown>>, key: string) =>
    typeof from[key] === 'number' ? from[key] : 0;
  const { jobs, workers } = raw;
  return {
    value: {
      jobs: {
        completed: count(jobs, 'completed'),
        failed: count(jobs, 'failed'),
        inProgress: count(jobs, 'inProgress'),
        inQueue: count(jobs, 'inQueue'),
        retried: count(jobs, 'retried'),
      },
      workers: { ...numbers(workers), idle: count(workers, 'idle'), running: count(workers, 'running') },
      raw,
    },
  };
}

/** Reads an answer of `/purge-queue`. */
export function parsePurge(text: string): Parsed<PurgeResult> {
  const raw = parseJson(text);
  if (!isRecord(raw) || typeof raw.removed !== 'number') return { issue: 'does not say how many jobs were removed' };
  return { value: { removed: raw.removed, status: typeof raw.status === 'string' ? raw.status : '', raw } };
}

function numbers(from: Readonly<Record<string, unknown>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(from).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}
