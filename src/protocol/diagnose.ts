import type { Diagnosis, DiagnosisFacts } from '../types/Diagnosis.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { isTerminal } from './snapshot.js';

/** The ttl that the service sets, in milliseconds (RunPod documentation, "Send API requests"). */
const TTL_DEFAULT = 86_400_000;

/** A job is about to expire in the last tenth of its ttl, and in no more than these last milliseconds. */
const SOON = 300_000;

/**
 * Says why a job is waiting: its state joined with the counts of its endpoint.
 *
 * ```ts
 * combineLatest([endpoint.watch(id), endpoint.watchHealth()]).pipe(
 *   map(([snapshot, health]) => diagnose(snapshot, health).reason),
 * );
 * ```
 *
 * The first row that holds gives the reason. The counts are of the whole endpoint and overlap (`ready` and `idle` count
 * the same workers), so they are asked one by one and never added up; one that is missing holds for no row.
 *
 * | Reason          | Where                                                           | Why it comes here                        |
 * | --------------- | --------------------------------------------------------------- | ---------------------------------------- |
 * | `ended`         | the status is terminal                                          | nothing else matters                     |
 * | `expiring`      | the last tenth of its ttl has begun, and at most 5 min are left | it would be lost, even while it runs     |
 * | `running`       | IN_PROGRESS                                                     | it does not wait                         |
 * | `unknown`       | a status that this version does not know, or no health          | the counts are about the queue           |
 * | `starting`      | `idle`                                                          | a worker is free to take it              |
 * | `queued-behind` | `running`, and jobs are in the queue                             | its turn comes, whatever else is wrong   |
 * | `unknown`       | `running`, and the queue is empty                               | the counts are newer than the snapshot   |
 * | `starting`      | `ready`                                                         | free as well, where `idle` does not tell |
 * | `unhealthy`     | `unhealthy`                                                     | what starts now may break the same way   |
 * | `cold-start`    | `initializing`                                                  | one that comes beats one that cannot     |
 * | `throttled`     | `throttled`                                                     | no host has a GPU to give                |
 * | `no-workers`    | none, and `unhealthy`, `initializing` and `throttled` are given | scaling up from 0, or a maximum of 0     |
 * | `unknown`       | none, and one of those is missing                               | the workers may be of that kind          |
 *
 * Pure; it throws nothing.
 */
export function diagnose(
  snapshot: JobSnapshot,
  health?: EndpointHealth,
  { submittedAt = NaN, now = NaN, ttl = TTL_DEFAULT }: DiagnosisFacts = {},
): Diagnosis {
  if (isTerminal(snapshot)) return { reason: 'ended', status: snapshot.status };
  const left = submittedAt + ttl - now;
  if (left <= Math.min(SOON, ttl / 10)) return { reason: 'expiring', left: Math.max(0, left) };
  if (snapshot.status === 'IN_PROGRESS') return { reason: 'running' };
  if (snapshot.status === 'UNKNOWN' || !health) return { reason: 'unknown' };

  const { idle, running, ready = 0, unhealthy = NaN, initializing = NaN, throttled = NaN } = health.workers;
  if (idle > 0) return { reason: 'starting', free: idle };
  // Where the queue is empty, the counts are newer than the snapshot.
  const { inQueue } = health.jobs;
  if (running > 0) return inQueue > 0 ? { reason: 'queued-behind', queued: inQueue, running } : { reason: 'unknown' };
  if (ready > 0) return { reason: 'starting', free: ready };
  if (unhealthy > 0) return { reason: 'unhealthy', unhealthy };
  if (initializing > 0) return { reason: 'cold-start', initializing };
  if (throttled > 0) return { reason: 'throttled', throttled };
  // A count that is missing is no number, and neither is a sum with it.
  return { reason: unhealthy + initializing + throttled === 0 ? 'no-workers' : 'unknown' };
}
