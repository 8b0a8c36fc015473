import { EMPTY, Observable, concatMap, defer, filter, of } from 'rxjs';
import type { EndpointCalls } from './endpoint/EndpointCalls.js';
import type { EndpointContext } from './endpoint/EndpointContext.js';
import type {
  CallOptions,
  RawRequest,
  RunOptions,
  StreamOptions,
  SyncOptions,
  WatchHealthOptions,
  WatchOptions,
} from './types/callOptions.js';
import { EndpointJobBackend } from './endpoint/EndpointJobBackend.js';
import { RunToEndSubscription } from './endpoint/RunToEndSubscription.js';
import { invalidRequest } from './errors/invalidRequest.js';
import { Job } from './job/Job.js';
import { JobController } from './job/JobController.js';
import type { JobOptions, LeavePolicy } from './job/JobOptions.js';
import type { JobOrigin } from './job/JobOrigin.js';
import { checkDurations } from './protocol/checks.js';
import { parsePurge } from './protocol/health.js';
import { operationRow } from './protocol/operations.js';
import { isTerminal } from './protocol/snapshot.js';
import type { EndpointHealth } from './types/EndpointHealth.js';
import type { JobRef } from './types/JobRef.js';
import type { JobRequest } from './types/JobRequest.js';
import type { JobSnapshot, TerminalSnapshot } from './types/JobSnapshot.js';
import type { Operation } from './types/Operation.js';
import type { Canceller, JobExecutor, JobRunner, StatusReader } from './types/ports.js';
import type { PurgeResult } from './types/PurgeResult.js';
import type { Reply } from './types/Transport.js';

/** One for all, where there may be a hundred thousand. */
const NO_OPTIONS: SyncOptions = {};

/**
 * One RunPod Serverless endpoint: a method for each API call, each a cold Observable that sends nothing until it is
 * subscribed to. Endpoints of the same id and client share their reading, their budget and their limits.
 *
 * A job that failed, was cancelled or timed out is data on `run`, `runSync`, `status`, `watch`, `cancel` and `retry`;
 * `stream`, and the operator `jobOutput`, turn it into an error.
 */
export class Endpoint<I extends object = Record<string, unknown>, O = unknown, C = unknown>
  implements JobRunner<I, O>, JobExecutor<I, O>, StatusReader<O>, Canceller<O>
{
  readonly #state: EndpointContext;
  readonly #calls: EndpointCalls<I, O, C>;

  /** @internal */
  constructor(calls: EndpointCalls<I, O, C>) {
    this.#calls = calls;
    this.#state = calls.state;
  }

  /** The endpoint's id; `undefined` where there is none, which every call then errors with. */
  get id(): string | undefined {
    return this.#state.id;
  }

  /**
   * Submits a job: `POST /run`. Emits one snapshot, with the id, and completes; the job is then the caller's.
   *
   * ```ts
   * endpoint.run({ input: { prompt: 'a lighthouse' } }).subscribe(({ id }) => console.log(id));
   * ```
   *
   * Errors with `ValidationError` before anything is sent; `HttpError` or `ConnectionError` with `accepted: 'no'` where
   * the job cannot have been taken; `SubmissionUnknownError` where it may have been. Repeated only after a 429 or a
   * connection never made.
   *
   * Unsubscribing before the request is sent keeps it from being sent. Later it is not aborted: the answer is read to
   * its end and the job then cancelled, which `settled()` waits for.
   *
   * The result is kept for 30 minutes after the job is over (RunPod documentation, "Job states").
   */
  run(request: JobRequest<I>, call: RunOptions = {}): Observable<JobSnapshot<O>> {
    return this.#calls.submit('run', request, call);
  }

  /**
   * Submits a job and waits for its end: `POST /runsync`, then polling where the job takes longer than `wait`. Emits the
   * terminal snapshot and completes.
   *
   * ```ts
   * endpoint.runSync({ input: { prompt: 'a lighthouse' } }).pipe(jobOutput());
   * ```
   *
   * Errors as `run` and `watch` do. Unsubscribing acts as on `run`, and also cancels the job while it is watched, since
   * nobody else knows its id. The result is kept for 1 minute.
   */
  runSync(request: JobRequest<I>, options: SyncOptions = {}): Observable<TerminalSnapshot<O>> {
    return this.runToEnd(request, options, 'runsync').pipe(filter(isTerminal));
  }

  /**
   * Runs a job to its end: `POST /run`, then polling. Emits the answer, then a snapshot whenever it differs from the one
   * before; completes after the terminal one, whatever it is. It is what pipelines run: a `Job` with one view, no options
   * of its own, and little memory. It is read when it is likely to be over, by how long the endpoint's jobs took: for
   * progress, `job` and `watch` are better.
   *
   * ```ts
   * endpoint.runToEnd({ input: { prompt: 'a lighthouse' } }).pipe(jobOutput());
   * ```
   *
   * Errors as `run` and `watch` do. Unsubscribing acts as on `run`, and also cancels the job while it is watched; so do
   * `signal`, `timeout` and `close()`. An error of reading does not: it has a `ref`, and the job goes on.
   */
  runToEnd(request: JobRequest<I>, options?: Omit<SyncOptions, 'wait'>): Observable<JobSnapshot<O>>;
  /** @internal */
  runToEnd(request: JobRequest<I>, options: SyncOptions, operation: 'runsync'): Observable<JobSnapshot<O>>;
  runToEnd(
    request: JobRequest<I>,
    options = NO_OPTIONS,
    operation: 'run' | 'runsync' = 'run',
  ): Observable<JobSnapshot<O>> {
    return new Observable((subscriber) => {
      const run = new RunToEndSubscription(this.#calls, operation, options, subscriber);
      run.begin(request);
      return run;
    });
  }

  /**
   * Reads a job once: `GET /status`. Emits one snapshot and completes.
   *
   * Errors with `JobNotFoundError`, or with `JobExpiredError` where this client had seen the job; a 404 within 10 s of
   * this client's own submission is tried again. A read of the same job that is in flight already is shared.
   * Unsubscribing aborts the request, where nobody else waits for it, and does nothing to the job.
   */
  status(id: string, call: CallOptions = {}): Observable<JobSnapshot<O>> {
    const own = call.headers ?? call.context;
    const fetch = () => this.#calls.fetch(id, own ? call : {});
    return (own ? defer(fetch) : this.#state.jobs.read(id, fetch)).pipe(
      this.#state.reading(call, { operation: 'status', jobId: id }),
      this.#calls.checked(),
    );
  }

  /**
   * Polls a job until it is over. Emits a snapshot whenever it differs from the one before; completes after the terminal
   * one, whatever it is.
   *
   * ```ts
   * endpoint.watch(id).subscribe(({ status }) => console.log(status));
   * ```
   *
   * Watchers of one job share their requests: one is in flight at a time, the one who wants an answer first asks, and
   * all get it. Failures that may pass are ridden out for `outage`; then, and for any other, it errors.
   * Unsubscribing aborts the read where nobody else waits for it, and does nothing to the job.
   */
  watch(id: string, options: WatchOptions = {}): Observable<JobSnapshot<O>> {
    return this.#calls
      .poll(id, options)
      .pipe(this.#state.reading(options, { operation: 'status', jobId: id }), this.#calls.checked());
  }

  /**
   * Reads the chunks that a job's worker yields: `GET /stream` until it is drained. Emits each chunk once, in order, and
   * completes when the job completed.
   *
   * ```ts
   * endpoint.stream(id).subscribe((chunk) => process.stdout.write(String(chunk)));
   * ```
   *
   * The service hands each chunk out once, so there is one reader for each job and client; a second one errors with
   * `StreamInUseError`, and one that comes after it left goes on where it stopped. A job that ended otherwise gives its
   * chunks first, then its error (`JobFailedError`, …). Where an answer was lost on the way, `onGap` decides; nothing is
   * lost silently. Unsubscribing aborts the read and does nothing to the job.
   */
  stream(id: string, options: StreamOptions = {}): Observable<C> {
    return this.#calls.chunks(id, options).pipe(
      this.#state.reading(options, { operation: 'stream', jobId: id }),
      // Checked by the endpoint's schema, or of the type that the caller says.
      concatMap((event) => (event.type === 'chunk' ? of(event.chunk as C) : EMPTY)),
    );
  }

  /**
   * Cancels a job, queued or running: `POST /cancel`. Emits the answer and completes. Watchers of the job read it anew.
   *
   * Repeated until it is answered, a bounded number of times. What the service answers for a job that is over is not
   * documented. Unsubscribing aborts the request, which may have had its effect.
   */
  cancel(id: string, call: CallOptions = {}): Observable<JobSnapshot<O>> {
    return this.#calls.act('cancel', id, call);
  }

  /**
   * Runs a job again that FAILED or TIMED_OUT, under the same id and with its original input: `POST /retry`. Emits the
   * answer and completes. The previous output is gone (RunPod documentation, "Send API requests").
   *
   * It is a submission: errors and unsubscribing act as on `run`, where leaving cancels the job.
   */
  retry(id: string, call: CallOptions = {}): Observable<JobSnapshot<O>> {
    return this.#calls.act('retry', id, call);
  }

  /**
   * A job with a life of its own: submitted when it is first looked at, and at most once; shared by all who look; and
   * cancelled on the server when the last of them leaves.
   *
   * ```ts
   * const job = endpoint.job({ input: { prompt: 'a lighthouse' } });
   * job.output$.subscribe((output) => console.log(output));
   * ```
   *
   * Sends nothing at the call. What is wrong with the request or the options is an error of its views.
   */
  job(request: JobRequest<I>, options: JobOptions<I> = {}): Job<O, C> {
    return this.#job({ request }, 'cancel', options);
  }

  /**
   * Goes on with a job that was submitted before, here or in another process, or by somebody else. Leaving it does
   * nothing to it, unless `onUnsubscribe` says so.
   *
   * ```ts
   * const ref = JSON.parse(localStorage.getItem('job'));
   * endpoint.attach(ref).output$.subscribe((output) => console.log(output));
   * ```
   *
   * @param ref - the job's id, or the reference that `Job.detach` gave, which also tells how far the stream was read
   */
  attach(ref: string | JobRef, options: JobOptions<I> = {}): Job<O, C> {
    const { id: endpointId = '' } = this;
    return this.#job({ ref: typeof ref === 'string' ? { v: 1, endpointId, id: ref } : ref }, 'detach', options);
  }

  #job(origin: JobOrigin, policy: LeavePolicy, options: JobOptions<I>): Job<O, C> {
    const backend = new EndpointJobBackend(this.#calls, options, options.tag ?? origin.ref?.tag);
    return new Job(new JobController(backend, origin, policy, options));
  }

  /** Reads the endpoint's counts of jobs and workers: `GET /health`. Emits one value and completes. */
  health(call?: CallOptions): Observable<EndpointHealth> {
    return this.#calls.health(call);
  }

  /**
   * Polls the endpoint's health. Emits every answer, the latest one at once to who comes later, and never completes.
   * Failures that may pass are ridden out for `outage`. The reading stops when the last subscriber leaves.
   */
  watchHealth(options: WatchHealthOptions = {}): Observable<EndpointHealth> {
    const { every, outage } = options;
    const where = { operation: 'health' };
    return defer(() => {
      const issues = checkDurations({ every, outage });
      if (issues.length) throw invalidRequest(issues, this.#state.context(where));
      return this.#state.watchHealth(() => this.health(), options);
    }).pipe(this.#state.reading(options, where));
  }

  /**
   * Removes all queued jobs of the endpoint, whoever submitted them: `POST /purge-queue`. Running jobs are not touched.
   * Emits one value and completes. Not repeated where the answer is lost, since jobs may have been queued in between.
   * Unsubscribing aborts the request, which may have had its effect.
   */
  purgeQueue(call?: CallOptions): Observable<PurgeResult> {
    return this.#state.call({ operation: 'purge-queue', read: ({ text }) => parsePurge(text) }, call);
  }

  /**
   * Makes a call that this library has no method for, within the same limits, links and rules of repeating. Emits the
   * answer, which is 2xx, and completes; any other status is an `HttpError`.
   *
   * ```ts
   * endpoint.request('openai/v1/models').pipe(map(({ text }) => JSON.parse(text)));
   * ```
   *
   * What is sent with another method than GET counts as a submission: it may run, and cost, so it is not repeated where
   * it may have been accepted. Unsubscribing aborts a GET; anything else on its way is read to its end.
   *
   * @param operation - the path after the endpoint's id
   */
  request(operation: Operation, { method, body, query, ...call }: RawRequest = {}): Observable<Reply> {
    return defer(() => {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      const sends = method ?? (text === undefined ? operationRow(operation).method : 'POST');
      return this.#state.call(
        {
          operation,
          method: sends,
          query,
          body: text,
          read: (reply) => ({ value: reply }),
        },
        call,
      );
    });
  }
}
