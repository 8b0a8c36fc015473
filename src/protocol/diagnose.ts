import type { Diagnosis, DiagnosisFacts } from '../types/Diagnosis.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { isTerminal } from './snapshot.js';

/** The ttl that the service sets by default, in milliseconds (RunPod documentation, "Send API requests"). */
const TTL_DEFAULT = 86_400_000;

/** A job is `expiring` during the last tenth of its ttl, and during at most this many milliseconds. */
const MAX_EXPIRING_TIME = 300_000;

/**
 * Says why a job is waiting, from its snapshot and the counts of its endpoint.
 *
 * ```ts
 * combineLatest([endpoint.watch(id), endpoint.watchHealth()]).pipe(
 *   map(([snapshot, health]) => diagnose(snapshot, health).reason),
 * );
 * ```
 *
 * The first row whose condition holds gives the reason. The counts are those of the whole endpoint and overlap (`ready`
 * and `idle` count the same workers), so each is tested by itself. No condition holds for a count that is missing.
 *
 * | Reason          | Condition                                                       | Why in this place                             |
 * | --------------- | --------------------------------------------------------------- | --------------------------------------------- |
 * | `ended`         | the status is terminal                                          | nothing else matters                          |
 * | `expiring`      | the last tenth of its ttl has begun, and at most 5 min are left | the job will be deleted, even while it runs   |
 * | `running`       | the status is IN_PROGRESS                                       | the job does not wait                         |
 * | `unknown`       | a status that this version does not know, or no health          | the counts below explain queued jobs only     |
 * | `starting`      | `idle` is above 0                                               | a worker is free to take the job              |
 * | `queued-behind` | `running` is above 0, and jobs are in the queue                 | the job gets its turn, even with other faults |
 * | `unknown`       | `running` is above 0, and the queue is empty                    | the counts are newer than the snapshot        |
 * | `starting`      | `ready` is above 0                                              | a worker is free, though `idle` is missing    |
 * | `unhealthy`     | `unhealthy` is above 0                                          | starting workers may fail in the same way     |
 * | `cold-start`    | `initializing` is above 0                                       | a starting worker comes before throttled ones |
 * | `throttled`     | `throttled` is above 0                                          | no host has a free GPU                        |
 * | `no-workers`    | `unhealthy`, `initializing` and `throttled` are all 0           | scaling up from 0, or a maximum of 0          |
 * | `unknown`       | one of these three is missing                                   | the workers may be of that kind               |
 *
 * A pure function that throws nothing.
 */
export function diagnose(
  snapshot: JobSnapshot,
  health?: EndpointHealth,
  { submittedAt = NaN, now = NaN, ttl = TTL_DEFAULT }: DiagnosisFacts = {},
): Diagnosis {
  if (isTerminal(snapshot)) return { reason: 'ended', status: snapshot.status };
  const remaining = submittedAt + ttl - now;
  if (remaining <= Math.min(MAX_EXPIRING_TIME, ttl / 10)) return { reason: 'expiring', left: Math.max(0, remaining) };
  if (snapshot.status === 'IN_PROGRESS') return { reason: 'running' };
  if (snapshot.status === 'UNKNOWN' || !health) return { reason: 'unknown' };

  const { idle, running, ready = 0, unhealthy = NaN, initializing = NaN, throttled = NaN } = health.workers;
  if (idle > 0) return { reason: 'starting', free: idle };
  const { inQueue } = health.jobs;
  // A queued job and an empty queue contradict each other: the counts are newer than the snapshot.
  if (running > 0) return inQueue > 0 ? { reason: 'queued-behind', queued: inQueue, running } : { reason: 'unknown' };
  if (ready > 0) return { reason: 'starting', free: ready };
  if (unhealthy > 0) return { reason: 'unhealthy', unhealthy };
  if (initializing > 0) return { reason: 'cold-start', initializing };
  if (throttled > 0) return { reason: 'throttled', throttled };
  // A missing count is NaN, and so is a sum with it.
  return { reason: unhealthy + initializing + throttled === 0 ? 'no-workers' : 'unknown' };
}
