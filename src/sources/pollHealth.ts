import type { Observable, SchedulerLike } from 'rxjs';
import { assertOptions } from '../errors/invalidOptions.js';
import { duration, scheduler as isScheduler, type Checks } from '../protocol/checkOptions.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import { durationScheduler } from '../time/clocks.js';
import { poll } from './poll.js';

/** Options of {@link pollHealth}; all durations in milliseconds. */
export interface PollHealthOptions {
  /**
   * The delay from an answer, or from a failed read, to the next read.
   * @defaultValue 5 000
   */
  readonly every?: number;
  /**
   * How long reads may fail in a row before their error goes through, counted from the first failure. One failure alone
   * never goes through.
   * @defaultValue 300 000
   */
  readonly outage?: number;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

const POLL_HEALTH: Checks<PollHealthOptions> = { every: duration, outage: duration, scheduler: isScheduler };

/**
 * Reads an endpoint's health again and again. Emits every answer and never completes.
 *
 * ```ts
 * pollHealth(() => endpoint.health(), { every: 10_000 });
 * ```
 *
 * Reads go on through errors that are `retryable` for `outage`; any other error goes through at once. Unsubscribing aborts
 * the read in flight. Throws `ConfigurationError` for options that cannot work.
 */
export function pollHealth(
  read: () => Observable<EndpointHealth>,
  options: PollHealthOptions = {},
): Observable<EndpointHealth> {
  assertOptions('pollHealth', options, POLL_HEALTH);
  const { every = 5000, outage = 300_000, scheduler } = options;
  return poll(read, { delay: () => every, outage, scheduler: durationScheduler(scheduler) });
}
