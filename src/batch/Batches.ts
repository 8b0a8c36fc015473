import type { Observable, SchedulerLike } from 'rxjs';
import { assertOptions, invalidOptions } from '../errors/invalidOptions.js';
import type { Endpoint, JobRequest } from '../index.js';
import { scheduler as aScheduler, type Checks } from '../protocol/checkOptions.js';
import { must } from '../protocol/checks.js';
import { durationScheduler } from '../time/clocks.js';
import { BatchApi } from './BatchApi.js';
import type { BatchItem } from './BatchItem.js';
import type { BatchRunOptions } from './BatchRunOptions.js';
import { runBatches } from './runBatches.js';

/** Options of {@link batches}. */
export interface BatchesOptions {
  /**
   * All time comes from it: the client's.
   * @defaultValue `asyncScheduler`, with durations by `performance.now()`
   */
  readonly scheduler?: SchedulerLike;
}

/**
 * The batch API of an endpoint, which RunPod calls beta: many requests are filled into a draft, and run when it is finalized.
 *
 * ```ts
 * batches(endpoint)
 *   .run(requests)
 *   .subscribe({ next: (item) => console.log(item.index, item.ok ? item.output : item.error) });
 * ```
 *
 * Throws `ConfigurationError` where there is no endpoint, or an option cannot work.
 */
export function batches<I extends object, O, C>(
  endpoint: Endpoint<I, O, C>,
  options: BatchesOptions = {},
): Batches<I, O> {
  assertOptions('batches', options, { scheduler: aScheduler } satisfies Checks<BatchesOptions>);
  const isEndpoint = typeof (Object(endpoint) as Partial<typeof endpoint>).request === 'function';
  const issues = must(isEndpoint, 'endpoint', endpoint, 'be an endpoint of a client');
  if (issues.length) throw invalidOptions('batches', issues);
  return new Batches<I, O>(endpoint, durationScheduler(options.scheduler));
}

/** The batch API of an endpoint, and a pipeline over it. */
export class Batches<I extends object, O> extends BatchApi<I, O> {
  /**
   * Runs a job for each request, in as many batches as it takes: each is filled, finalized and watched, and gives an item for each
   * of its requests as they end. See {@link BatchRunOptions}.
   *
   * Emits one item for each request, and completes. Requests that cannot be sent are failed items. Errors where a batch could not
   * be filled, or its requests could not be told apart; nothing of that batch has run then. Unsubscribing cancels the batches:
   * requests that run finish, and are paid. Cold: each subscription runs all requests anew.
   *
   * @param requests - an iterable or an async iterable; no more is taken than fits into the batches that are filled
   */
  run(
    requests: Iterable<JobRequest<I>> | AsyncIterable<JobRequest<I>>,
    options: BatchRunOptions = {},
  ): Observable<BatchItem<I, O>> {
    return runBatches(this, requests, options);
  }
}
