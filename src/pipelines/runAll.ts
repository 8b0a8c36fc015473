import { Observable } from 'rxjs';
import type { PipelineInputs, PipelineItem, Runner, SucceededItem } from '../types/pipelines.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobExecutor } from '../types/ports.js';
import { Pipeline, type Bound } from './Pipeline.js';
import { checkCount, type PipelineOptions, type WithoutFailures } from './PipelineOptions.js';
import { fromIterable, type OpenInputSource } from './inputs.js';
import { runnerOf } from './runnerOf.js';

/**
 * Runs a job for each input, so many at a time, and takes the next input only when there is room for it.
 *
 * ```ts
 * runAll(endpoint, requests, { concurrency: 20 }).subscribe((item) => {
 *   if (item.ok) console.log(item.output);
 *   else console.error(item.index, item.error);
 * });
 * ```
 *
 * - Emits an item for each input, failed or not, as the jobs finish or in the order of the inputs; completes after the
 *   last. A failed item is no error, unless `onError` says so.
 * - Inputs that throw midway: the items of the jobs in flight come first, then that error.
 * - Cold: each subscription asks the inputs for an iterator, and runs all anew.
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
  return pipeline('runAll', runner, fromIterable(inputs), options);
}

/** The items of a pipeline. */
export function pipeline<I extends object, O>(
  operation: string,
  runner: JobExecutor<I, O> | Runner<I, O>,
  open: OpenInputSource<JobRequest<I>>,
  options: PipelineOptions<I, O>,
  bound?: Bound,
): Observable<PipelineItem<I, O>> {
  const { concurrency, retry = 0 } = options;
  if (concurrency === undefined || typeof concurrency === 'number')
    checkCount(operation, 'concurrency', concurrency ?? 1, 1);
  checkCount(operation, 'retry', typeof retry === 'object' ? retry.count : retry, 0);
  if (bound) checkCount(operation, 'buffer', bound.buffer, 0);
  return new Observable((subscriber) => {
    const running = new Pipeline(runnerOf(runner), options, bound, subscriber);
    subscriber.add(() => {
      running.leave();
    });
    running.begin(open);
  });
}
