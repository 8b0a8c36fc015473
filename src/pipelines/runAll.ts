import type { Observable } from 'rxjs';
import type { JobExecutor } from '../types/ports.js';
import type { PipelineItem, SucceededItem } from './PipelineItem.js';
import type { PipelineOptions, WithoutFailures } from './PipelineOptions.js';
import type { Runner } from './Runner.js';
import { assertRunner, PIPELINE } from './checkPipelineOptions.js';
import { fromIterable, type PipelineInputs } from './inputs.js';
import { runPipeline } from './runPipeline.js';

/**
 * Runs a job for each input, a limited number at a time. Takes the next input only when a job may start.
 *
 * ```ts
 * runAll(endpoint, requests, { concurrency: 20 }).subscribe((item) => {
 *   if (item.ok) console.log(item.output);
 *   else console.error(item.index, item.error);
 * });
 * ```
 *
 * - Emits one item for each input, as the jobs finish or in the order of the inputs. Completes after the last item. A job
 *   that fails is a failed item, not an error, unless the option `onError` says otherwise.
 * - Where the inputs throw, emits the items of the jobs in flight, then errors with what was thrown.
 * - Cold: each subscription asks the inputs for an iterator, and runs all jobs anew.
 *
 * Unsubscribing cancels the jobs in flight on the server, and calls the iterator's `return`.
 *
 * @param runner - an endpoint, or a function that runs one job to its end
 * @param inputs - requests of jobs: an iterable, an async iterable, or a Node stream
 */
export function runAll<I extends object, O>(
  runner: JobExecutor<I, O> | Runner<I, O>,
  inputs: PipelineInputs<I>,
  options: PipelineOptions<I, O> & WithoutFailures<I, O>,
): Observable<SucceededItem<I, O>>;
export function runAll<I extends object, O>(
  runner: JobExecutor<I, O> | Runner<I, O>,
  inputs: PipelineInputs<I>,
  options?: PipelineOptions<I, O>,
): Observable<PipelineItem<I, O>>;
export function runAll<I extends object, O>(
  runner: JobExecutor<I, O> | Runner<I, O>,
  inputs: PipelineInputs<I>,
  options: PipelineOptions<I, O> = {},
): Observable<PipelineItem<I, O>> {
  assertRunner('runAll', runner, options, PIPELINE);
  return runPipeline(runner, fromIterable(inputs), options);
}
