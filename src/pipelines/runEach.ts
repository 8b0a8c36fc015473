import type { OperatorFunction } from 'rxjs';
import type { OverflowStrategy } from './Pipeline.js';
import type { PipelineOptions, WithoutFailures } from './PipelineOptions.js';
import { fromObservable } from './inputs.js';
import { pipeline } from './runAll.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { PipelineItem, Runner, SucceededItem } from '../types/pipelines.js';
import type { JobExecutor } from '../types/ports.js';

/** Options of {@link runEach}. */
export interface RunEachOptions<I extends object = Record<string, unknown>, O = unknown> extends PipelineOptions<I, O> {
  /**
   * How many requests may wait for room.
   * @defaultValue 100
   */
  readonly buffer?: number;
  /**
   * What happens when there is one more: `error` ends the pipeline with `BufferOverflowError`, once all that was taken
   * has run; `drop-oldest` and `drop-newest` make a failed item, with that error, of the oldest that waits or of the one
   * that came.
   * @defaultValue `'error'`
   */
  readonly overflow?: OverflowStrategy;
}

/**
 * Runs a job for each request of an Observable, so many at a time. What comes while there is no room waits in a bounded
 * buffer.
 *
 * ```ts
 * requests$.pipe(runEach(endpoint, { concurrency: 5, buffer: 50, overflow: 'drop-oldest' }));
 * ```
 *
 * - Emits an item for each request, failed or not, as `runAll` does; completes after the source, when all has run. What
 *   had no room is a failed item as well, told at once.
 * - An error of the source goes through when all that it gave has run.
 *
 * Unsubscribing leaves the source and cancels the jobs in flight on the server.
 */
export function runEach<I extends object, O>(
  runner: JobExecutor<I, O> | Runner<I, O>,
  options: RunEachOptions<I, O> & WithoutFailures<I, O>,
): OperatorFunction<JobRequest<I>, SucceededItem<I, O>>;
export function runEach<I extends object, O>(
  runner: JobExecutor<I, O> | Runner<I, O>,
  options?: RunEachOptions<I, O>,
): OperatorFunction<JobRequest<I>, PipelineItem<I, O>>;
export function runEach<I extends object, O>(
  runner: JobExecutor<I, O> | Runner<I, O>,
  { buffer = 100, overflow = 'error', ...options }: RunEachOptions<I, O> = {},
): OperatorFunction<JobRequest<I>, PipelineItem<I, O>> {
  return (source) => pipeline('runEach', runner, fromObservable(source), options, { buffer, overflow });
}
