import { EMPTY, Observable, concatMap, defer, filter, of, tap, type OperatorFunction } from 'rxjs';
import { checkOutput } from './endpoint/checkOutput.js';
import type { EndpointContext } from './endpoint/EndpointContext.js';
import type { EndpointView } from './endpoint/EndpointView.js';
import { readHealth } from './endpoint/readHealth.js';
import { readStream } from './endpoint/readStream.js';
import { streamCall } from './endpoint/streamCall.js';
import { submitJob } from './endpoint/submitJob.js';
import { watchJob } from './endpoint/watchJob.js';
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
import { ResponseError } from './errors/ResponseError.js';
import { JOB } from './job/checkJobOptions.js';
import { Job } from './job/Job.js';
import { JobController } from './job/JobController.js';
import type { JobOptions, LeavePolicy } from './job/JobOptions.js';
import type { JobOrigin } from './job/JobOrigin.js';
import { statusCall } from './polling/statusCall.js';
import { CALL, RAW, READ_STREAM, RUN, STREAM, WATCH, WATCH_HEALTH } from './protocol/callChecks.js';
import { checkJson } from './protocol/checkJson.js';
import { checkOptions, copyable } from './protocol/checkOptions.js';
import { parsePurge } from './protocol/health.js';
import { isRecord, type JsonParser } from './protocol/json.js';
import { operationRow } from './protocol/operations.js';
import { isTerminal, snapshotOf } from './protocol/snapshot.js';
import type { StreamReply } from './protocol/streamReply.js';
import type { CallOrigin } from './types/Activity.js';
import type { EndpointHealth } from './types/EndpointHealth.js';
import type { JobRef } from './types/JobRef.js';
import type { JobRequest } from './types/JobRequest.js';
import type { JobSnapshot, TerminalSnapshot } from './types/JobSnapshot.js';
import type { Operation } from './types/Operation.js';
import type { Canceller, JobExecutor, JobRunner, OnBehalf, StatusReader } from './types/ports.js';
import type { PurgeResult } from './types/PurgeResult.js';
import type { Reply } from './types/Transport.js';

/** How many values a body of `request` may have: more make a text that is longer than JavaScript's can be. */
const MAX_VALUES = 2 ** 28;

/** Shared by all calls without options: a pipeline makes a hundred thousand. */
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
  readonly #view: EndpointView<I, O, C>;
  readonly #context: EndpointContext;

  /** @internal */
  constructor(view: EndpointView<I, O, C>) {
    this.#view = view;
    this.#context = view.context;
  }

  /** The endpoint's id. Where it is `undefined`, every call errors. */
  get id(): string | undefined {
    return this.#context.id;
  }

  /** @internal The parser that was given last for this endpoint, which all its views share. */
  get parse(): JsonParser | undefined {
    return this.#context.parse;
  }

  /**
   * Submits a job: `POST /run`. Emits one snapshot, with the id, and completes. The job is then the caller's to watch or cancel.
   *
   * ```ts
   * endpoint.run({ input: { prompt: 'a lighthouse' } }).subscribe(({ id }) => console.log(id));
   * ```
   *
   * Errors with `ValidationError` before anything is sent; `HttpError` or `ConnectionError` with `accepted: 'no'` where
   * the job cannot have been taken; `SubmissionUnknownError` where it may have been. Repeated only after a 429 or a
   * connection never made.
   *
   * Unsubscribing before the request is sent prevents it. A request that was sent is not aborted: its answer is read to the
   * end, and the job is then cancelled. `settled()` waits for that.
   *
   * The result is kept for 30 minutes after the job is over (RunPod documentation, "Job states").
   */
  run(request: JobRequest<I>, call: RunOptions = NO_OPTIONS): Observable<JobSnapshot<O>> {
    const meta = { origin: this.#called('run') };
    return submitJob(this.#view, { operation: 'run', request, options: call, checks: RUN, meta });
  }

  /**
   * Submits a job and waits for its end: `POST /runsync`, then polling where the job takes longer than `wait`. Emits the
   * terminal snapshot and completes.
   *
   * ```ts
   * endpoint.runSync({ input: { prompt: 'a lighthouse' } }).pipe(jobOutput());
   * ```
   *
   * Errors as `run` and `watch` do. Unsubscribing acts as on `run`, and while the job is watched it cancels the job, since
   * nobody else knows its id. The service keeps the result for 1 minute.
   */
  runSync(request: JobRequest<I>, options: SyncOptions = {}): Observable<TerminalSnapshot<O>> {
    return this.runToEnd(request, options, 'runsync').pipe(filter(isTerminal));
  }

  /**
   * Runs a job to its end: `POST /run`, then polling. Emits the answer, then a snapshot whenever it differs from the one
   * before. Completes after the terminal snapshot, whatever its status. Pipelines run their jobs by it: it takes less memory
   * than a `Job`. The job is read when it has probably ended, by how long the endpoint's jobs took so far: for progress, use
   * `job` or `watch`.
   *
   * ```ts
   * endpoint.runToEnd({ input: { prompt: 'a lighthouse' } }).pipe(jobOutput());
   * ```
   *
   * Errors as `run` and `watch` do. Unsubscribing acts as on `run`, and while the job is watched it cancels the job; so do
   * `signal`, `timeout` and `close()`. An error of reading does not cancel the job: it has a `ref` to attach with.
   */
  runToEnd(request: JobRequest<I>, options?: Omit<SyncOptions, 'wait'>): Observable<JobSnapshot<O>>;
  /** @internal */
  runToEnd(request: JobRequest<I>, options: SyncOptions, operation: 'runsync'): Observable<JobSnapshot<O>>;
  runToEnd(
    request: JobRequest<I>,
    options = NO_OPTIONS,
    operation: 'run' | 'runsync' = 'run',
  ): Observable<JobSnapshot<O>> {
    const origin = this.#called(operation === 'run' ? 'runToEnd' : 'runSync');
    return new Observable((subscriber) => {
      const run = new RunToEndSubscription(this.#view, operation, options, subscriber, origin);
      run.submit(request);
      return run;
    });
  }

  /**
   * Reads a job once: `GET /status`. Emits one snapshot and completes.
   *
   * Errors with `JobNotFoundError`, or with `JobExpiredError` where this client had seen the job; a 404 within 10 s of
   * this client's own submission is tried again. A read of the same job that is already in flight is shared.
   * Unsubscribing does nothing to the job. It aborts the request, unless another subscriber shares it.
   */
  status(id: string, call: CallOptions = {}): Observable<JobSnapshot<O>> {
    const context = this.#context;
    // Only a read with nothing of its own can be shared with others.
    const { headers, context: linkContext, onReply } = Object(call) as CallOptions;
    const isOwn = !!(headers ?? linkContext ?? onReply);
    const meta = { origin: this.#called('status', { jobId: id }) };
    const read$ = isOwn ? context.call(statusCall(id, meta), call) : context.jobs.read(id, { options: {}, meta });
    return read$.pipe(context.guardRead(call, CALL, { operation: 'status', jobId: id }), this.#checkOutput());
  }

  /**
   * Polls a job until it is over. Emits a snapshot whenever it differs from the one before. Completes after the terminal
   * snapshot, whatever its status.
   *
   * ```ts
   * endpoint.watch(id).subscribe(({ status }) => console.log(status));
   * ```
   *
   * Watchers of one job share their requests: one is in flight at a time, made when the first of them wants an answer, and
   * all get the answer. Failures that may pass are ridden out for `outage`. After that, and for any other failure, it
   * errors. Unsubscribing does nothing to the job. It aborts the request, unless another watcher shares it.
   */
  watch(id: string, options: WatchOptions = {}): Observable<JobSnapshot<O>> {
    const meta = { origin: this.#called('watch', { jobId: id }) };
    return watchJob(this.#context, id, { options, meta }).pipe(
      this.#context.guardRead(options, WATCH, { operation: 'status', jobId: id }),
      this.#checkOutput(),
    );
  }

  /**
   * Polls a job until it is over, emits the terminal snapshot, whatever its status, and completes. As only the end is of
   * interest, the reads are held, or made when the job has probably ended: about one and a half for each job.
   *
   * ```ts
   * endpoint.watchToEnd(id).pipe(jobOutput()).subscribe((output) => console.log(output));
   * ```
   *
   * It shares its reads with other watchers, and errors as `watch` does. Unsubscribing does nothing to the job.
   *
   * @param job - the job's id; or the answer to its submission, after which there is nothing to read at once
   */
  watchToEnd(job: string | JobSnapshot, options: WatchOptions = {}): Observable<TerminalSnapshot<O>> {
    const context = this.#context;
    const seen = typeof job === 'string' ? undefined : job;
    const id = typeof job === 'string' ? job : (Object(job) as JobSnapshot).id;
    const meta = { origin: this.#called('watchToEnd', { jobId: id }) };
    const end$ = seen && isTerminal(seen) ? of(seen) : watchJob(context, id, { options, endOnly: true, meta }, seen);
    return end$.pipe(
      context.guardRead(options, WATCH, { operation: 'status', jobId: id }),
      this.#checkOutput(),
      filter(isTerminal),
    );
  }

  /**
   * Reads the chunks that a job's worker yields: `GET /stream` until it is drained. Emits each chunk once, in order, and
   * completes when the job completed.
   *
   * ```ts
   * endpoint.stream(id).subscribe((chunk) => process.stdout.write(String(chunk)));
   * ```
   *
   * The service hands out each chunk once, so each job has one reader in a client. A second reader errors with
   * `StreamInUseError`; a reader that comes after the first has unsubscribed goes on where that one stopped. A job that did
   * not complete gives its chunks first, then its error (`JobFailedError`, …). Where an answer was lost on the way, `onGap`
   * decides; no chunk is lost silently. Unsubscribing aborts the read and does nothing to the job.
   */
  stream(id: string, options: StreamOptions = {}): Observable<C> {
    const meta = { origin: this.#called('stream', { jobId: id }) };
    return readStream(this.#view, { id, options, meta }).pipe(
      this.#context.guardRead(options, STREAM, { operation: 'stream', jobId: id }),
      // A chunk has the type that the endpoint's schema checked, or that the caller states.
      concatMap((event) => (event.type === 'chunk' ? of(event.chunk as C) : EMPTY)),
    );
  }

  /**
   * Reads a job's stream once: `GET /stream`. Emits the answer, with the chunks that came since the last read, and completes.
   * For loops of one's own, such as the operator `streamChunks`; `stream` does all that is needed.
   *
   * The service hands out each chunk once, to whoever asks: no other reader gets it. Unsubscribing aborts the request, whose
   * answer may have had chunks.
   */
  readStream(id: string, options: Pick<StreamOptions, 'wait'> & CallOptions = {}): Observable<StreamReply> {
    const { wait, ...call } = copyable(Object(options) as typeof options, READ_STREAM);
    return streamCall(this.#context, { id, wait, issues: checkOptions(options, READ_STREAM) }, call);
  }

  /**
   * Cancels a job, queued or running: `POST /cancel`. Emits the answer and completes. Watchers of the job read it anew.
   *
   * Repeated a bounded number of times until it is answered. What the service answers for a job that is over is not
   * documented. Unsubscribing aborts the request, which may have had its effect already.
   */
  cancel(id: string, call: CallOptions = {}): Observable<JobSnapshot<O>> {
    return this.#command('cancel', id, call);
  }

  /**
   * Runs a job again that FAILED or TIMED_OUT, under the same id and with its original input: `POST /retry`. Emits the
   * answer and completes. The previous output is gone (RunPod documentation, "Send API requests").
   *
   * It is a submission: errors and unsubscribing act as on `run`, so unsubscribing after it was sent cancels the job.
   */
  retry(id: string, call: CallOptions = {}): Observable<JobSnapshot<O>> {
    return this.#command('retry', id, call);
  }

  /**
   * A job with many views: submitted when a view is first subscribed to, and at most once; shared by all subscribers; and
   * cancelled on the server when the last of them unsubscribes.
   *
   * ```ts
   * const job = endpoint.job({ input: { prompt: 'a lighthouse' } });
   * job.output$.subscribe((output) => console.log(output));
   * ```
   *
   * Sends nothing at the call. A mistake in the request or the options is an error of the job's views.
   */
  job(request: JobRequest<I>, options: JobOptions<I> = {}): Job<O, C> {
    return this.#job({ request }, 'cancel', options, 'job');
  }

  /**
   * Goes on with a job that was submitted before, here or in another process, or by another program. Unsubscribing does
   * nothing to the job, unless `onUnsubscribe` says so.
   *
   * ```ts
   * const ref = JSON.parse(localStorage.getItem('job'));
   * endpoint.attach(ref).output$.subscribe((output) => console.log(output));
   * ```
   *
   * @param ref - the job's id, or the reference that `Job.detach` gave; the reference says how far the stream was read
   */
  attach(ref: string | JobRef, options: JobOptions<I> = {}): Job<O, C> {
    const { id: endpointId = '' } = this;
    return this.#job(
      { ref: typeof ref === 'string' ? { v: 1, endpointId, id: ref } : ref },
      'detach',
      options,
      'attach',
    );
  }

  #job(origin: JobOrigin, policy: LeavePolicy, options: JobOptions<I>, method: 'job' | 'attach'): Job<O, C> {
    // Callers without types may give `null`, which the controller reports.
    const known = copyable(Object(options) as JobOptions<object>, JOB);
    const tag = known.tag ?? origin.ref?.tag;
    const call = this.#called(method, { jobId: origin.ref?.id, tag });
    const backend = new EndpointJobBackend(this.#view, known, tag, call);
    return new Job(new JobController(backend, origin, policy, options));
  }

  /**
   * The snapshot of a job object that was kept: the `raw` of an earlier snapshot from a database, or the body of a webhook.
   * Emits one snapshot and completes. Its output is checked, and transformed, as that of an answer is. Sends nothing.
   *
   * Errors with `ResponseError` where the object is no job, and with `JobOutputError`.
   */
  snapshotOf(raw: unknown): Observable<JobSnapshot<O>> {
    return defer(() => {
      const parsed = isRecord(raw) ? snapshotOf(raw) : { issue: 'is not an object' };
      if ('value' in parsed) return of(parsed.value);
      const message = `what was given as a job ${parsed.issue}`;
      throw new ResponseError(message, this.#context.errorContext({ operation: 'status' }), { excerpt: '' });
    }).pipe(this.#checkOutput());
  }

  /** Reads the endpoint's counts of jobs and workers: `GET /health`. Emits one value and completes. */
  health(call?: CallOptions): Observable<EndpointHealth> {
    return readHealth(this.#context, call, { origin: this.#called('health') });
  }

  /**
   * Polls the endpoint's health. Emits every answer, to a late subscriber the latest at once, and never completes.
   * Failures that may pass are ridden out for `outage`. The reading stops when the last subscriber leaves.
   */
  watchHealth(options: WatchHealthOptions = {}): Observable<EndpointHealth> {
    const context = this.#context;
    return defer(() => context.health.watch(() => readHealth(context), options)).pipe(
      context.guardRead(options, WATCH_HEALTH, { operation: 'health' }),
    );
  }

  /**
   * Removes all queued jobs of the endpoint, whoever submitted them: `POST /purge-queue`. Running jobs go on.
   * Emits one value and completes. Not repeated where the answer is lost, since new jobs may have been queued meanwhile.
   * Unsubscribing aborts the request, which may have had its effect already.
   */
  purgeQueue(call?: CallOptions): Observable<PurgeResult> {
    const issues = checkOptions(call, CALL);
    const origin = this.#called('purgeQueue');
    return this.#context.call({ operation: 'purge-queue', origin, issues, read: ({ text }) => parsePurge(text) }, call);
  }

  /**
   * Makes a call that this library has no method for, within the same limits, links and rules of repeating. Emits the
   * answer, which is 2xx, and completes; any other status is an `HttpError`.
   *
   * ```ts
   * endpoint.request('openai/v1/models').pipe(map(({ text }) => JSON.parse(text)));
   * ```
   *
   * A request with another method than GET counts as a submission: it may run a job and cost money, so it is not repeated
   * where it may have been accepted. Unsubscribing aborts a GET; the answer to any other request is read to its end.
   *
   * @param operation - the path after the endpoint's id
   */
  request(operation: Operation, request: RawRequest = {}): Observable<Reply> {
    const origin = this.#called('request');
    return defer(() => {
      const { method, body, query, ...call } = copyable(Object(request) as RawRequest, RAW);
      const isText = body === undefined || typeof body === 'string';
      const issues = [...checkOptions(request, RAW), ...(isText ? [] : checkJson('body', body, MAX_VALUES))];
      const text = isText || issues.length ? (body as string | undefined) : JSON.stringify(body);
      const sends = method ?? (text === undefined ? operationRow(operation).method : 'POST');
      return this.#context.call(
        {
          operation,
          origin,
          method: sends,
          query,
          body: text,
          issues,
          read: (reply) => ({ value: reply }),
        },
        call,
      );
    });
  }

  /** Does something to a job, which is then read again for those who watch it. */
  #command(operation: 'cancel' | 'retry', id: string, options: CallOptions): Observable<JobSnapshot<O>> {
    const origin = this.#called(operation, { jobId: id });
    return this.#context.call({ operation, origin, jobId: id, issues: checkOptions(options, CALL) }, options).pipe(
      tap(() => {
        this.#context.jobs.refresh(id);
      }),
      this.#checkOutput(),
    );
  }

  /**
   * For tracers: remembers who calls this. What is called within the function that it returns, then or later, is on behalf of
   * this call: `CallOrigin.caller`. Pipelines call it, since they make their jobs when there is room. `undefined` while
   * nobody traces the client.
   *
   * ```ts
   * const onBehalf = endpoint.bindCaller();
   * const later = () => onBehalf?.(() => endpoint.job(request)) ?? endpoint.job(request);
   * ```
   */
  bindCaller(): OnBehalf | undefined {
    const caller = this.#called('bindCaller');
    return caller && ((call) => this.#context.client.onBehalfOf(caller, call));
  }

  /** Tells those who trace the client of a call, while the caller's context is still there. */
  #called(method: string, names: Partial<Pick<CallOrigin, 'jobId' | 'tag'>> = {}): CallOrigin | undefined {
    const { client, id = '' } = this.#context;
    return client.calls$.observed ? client.called({ method, endpointId: id, ...names }) : undefined;
  }

  #checkOutput(): OperatorFunction<JobSnapshot, JobSnapshot<O>> {
    return checkOutput(this.#context, this.#view.options.output);
  }
}
