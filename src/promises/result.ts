import { firstValueFrom } from 'rxjs';
import { assertOptions, invalidOptions } from '../errors/invalidOptions.js';
import type { Job } from '../job/Job.js';
import { abortWith } from '../operators/abortWith.js';
import { mustBe, observable, signal, type Checks } from '../protocol/checkOptions.js';

/** Options of {@link result}. */
export interface ResultOptions {
  /**
   * Ends the waiting. The promise rejects with `AbortedError`, and the job is left as by unsubscribing: its option
   * `onUnsubscribe` says what becomes of it.
   * @defaultValue none
   */
  readonly signal?: AbortSignal;
}

const OPTIONS: Checks<ResultOptions> = { signal };

const checkJob = mustBe(
  'a job, as endpoint.job() gives; for an Observable, take firstValueFrom of RxJS',
  (value) => observable((Object(value) as Partial<Job>).output$, 'output$').length === 0,
);

/**
 * The output of a job, as a promise.
 *
 * ```ts
 * const { text } = await result(endpoint.job({ input: { prompt: 'a lighthouse' } }));
 * ```
 *
 * Subscribes to `output$` at the call: a job that was not submitted yet is submitted, and no job is submitted twice.
 * Rejects with the error of `output$`: `JobFailedError`, `JobTimedOutError` or `JobCancelledError` where the job ended
 * without success, otherwise the error of a request. Rejects with `ConfigurationError` for options that cannot work, and
 * for what is no job.
 *
 * A promise cannot be unsubscribed from. To leave the job, abort the `signal`; with the default options of `job()`, that
 * cancels the job on the server. `await job` gives the job itself: a job is not a promise.
 */
export async function result<O>(job: Job<O>, options: ResultOptions = {}): Promise<O> {
  const issues = checkJob(job, 'job');
  if (issues.length) throw invalidOptions('result', issues);
  assertOptions('result', options, OPTIONS);
  return firstValueFrom(job.output$.pipe(abortWith(options.signal, () => job.errorContext('result'))));
}
