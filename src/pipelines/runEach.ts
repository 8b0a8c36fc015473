import type { OperatorFunction } from 'rxjs';
import { countOrInfinity, oneOf, type Checks } from '../protocol/checkOptions.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobExecutor } from '../types/ports.js';
import type { OverflowStrategy } from './InputBuffer.js';
import type { PipelineItem, SucceededItem } from './PipelineItem.js';
import type { PipelineOptions, WithoutFailures } from './PipelineOptions.js';
import type { Runner } from './Runner.js';
import { assertRunner, PIPELINE } from './checkPipelineOptions.js';
import { fromObservable } from './inputs.js';
import { runPipeline } from './runPipeline.js';

/** Options of {@link runEach}. */
export interface RunEachOptions<I extends object = Record<string, unknown>, O = unknown> extends PipelineOptions<I, O> {
  /**
   * How many requests may wait while no job may start.
   * @defaultValue 100
   */
  readonly buffer?: number;
  /**
   * What happens when one more request comes. `error` makes it a failed item with a `BufferOverflowError`, takes no more
   * requests, and errors with that error when all earlier jobs have ended. `drop-oldest` and `drop-newest` make a failed
   * item, with that error, of the oldest waiting request or of the new one, and go on.
   * @defaultValue `'error'`
   */
  readonly overflow?: OverflowStrategy;
}

const RUN_EACH: Checks<RunEachOptions> = {
  ...PIPELINE,
  buffer: countOrInfinity(0),
  overflow: oneOf('error', 'drop-oldest', 'drop-newest'),
};

/**
 * Runs a job for each request of an Observable, a limited number at a time. A request that comes while no job may start
 * waits in a bounded buffer.
 *
 * ```ts
 * requests$.pipe(runEach(endpoint, { concurrency: 5, buffer: 50, overflow: 'drop-oldest' }));
 * ```
 *
 * - Emits one item for each request, as `runAll` does. Completes when the source has completed and all jobs have ended. A
 *   request that the buffer has no room for is a failed item, emitted at once.
 * - Where the source errors, all its requests are run first, then the error goes through.
 *
 * Unsubscribing unsubscribes from the source and cancels the jobs in flight on the server.
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
  options: RunEachOptions<I, O> = {},
): OperatorFunction<JobRequest<I>, PipelineItem<I, O>> {
  assertRunner('runEach', runner, options, RUN_EACH);
  const { buffer = 100, overflow = 'error' } = options;
  return (source) => runPipeline(runner, fromObservable(source), options, { buffer, overflow });
}
