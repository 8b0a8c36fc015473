import { EMPTY, catchError, concatMap, defer, filter, map, of, tap, throwError, type Observable } from 'rxjs';
import type { EndpointOptions } from './client/EndpointOptions.js';
import type { EndpointState } from './client/EndpointState.js';
import { validate } from './client/validate.js';
import { JobOutputError } from './errors/JobOutputError.js';
import { StreamInUseError } from './errors/StreamInUseError.js';
import { invalidRequest } from './errors/invalidRequest.js';
import { asAccepted } from './errors/asAccepted.js';
import { RunpodError, type ErrorContext } from './errors/RunpodError.js';
import { checkDurations, checkWait, issuesText, jobBody, type Issue } from './protocol/checks.js';
import { parseHealth, parsePurge } from './protocol/health.js';
import { RUNSYNC_WAIT, STREAM_WAIT } from './protocol/limits.js';
import { operationRow } from './protocol/operations.js';
import { isTerminal } from './protocol/snapshot.js';
import { parseStream } from './protocol/streamReply.js';
import { adaptivePolicy, type PollPolicy } from './sources/PollPolicy.js';
import { streamChunks, type GapPolicy } from './sources/streamChunks.js';
import type { EndpointHealth } from './types/EndpointHealth.js';
import type { JobRequest } from './types/JobRequest.js';
import type { JobSnapshot, TerminalSnapshot } from './types/JobSnapshot.js';
import type { Operation } from './types/Operation.js';
import type { CallOptions, RunOptions } from './types/options.js';
import type { Canceller, JobRunner, StatusReader } from './types/ports.js';
import type { PurgeResult } from './types/PurgeResult.js';
import type { Reply, TransportRequest } from './types/Transport.js';

/** Options of {@link Endpoint.watch}; all durations in milliseconds. */
export interface WatchOptions extends CallOptions {
  /**
   * A fixed delay after each answer, as the greatest age a snapshot may reach; `5000` is the interval that the RunPod
   * documentation shows. Takes precedence over `poll`.
   * @defaultValue none: `poll` decides
   */
  readonly every?: number;
  /**
   * Decides the delay after each answer.
   * @defaultValue a tenth of the job's age, within 0.5 – 5 s, ± 15 %
   */
  readonly poll?: PollPolicy;
  /**
   * How long reads may fail in a row before their error goes through, counted from the last good answer.
   * @defaultValue 300 000
   */
  readonly outage?: number;
}

/** Options of {@link Endpoint.runSync}; all durations in milliseconds. */
export interface SyncOptions extends RunOptions, WatchOptions {
  /**
   * How long the service holds its answer for the job to end, 1 000 – 300 000. The job is watched from then on.
   * @defaultValue 90 000, set by the service
   */
  readonly wait?: number;
}

/** Options of {@link Endpoint.stream}; all durations in milliseconds. */
export interface StreamOptions extends CallOptions {
  /**
   * How long the service holds an answer while there is no chunk, 1 000 – 300 000.
   * @defaultValue 10 000, set by the service
   */
  readonly wait?: number;
  /**
   * What to do when an answer was lost that may have carried chunks. `hold` keeps what follows back until the job is
   * over, then fills the gap from the job's output where that proves to hold everything (a worker with
   * `return_aggregate_stream`), or errors with `StreamGapError`; `mark` goes on live and says so in `activity$`; `error`
   * errors at once.
   * @defaultValue `'hold'`
   */
  readonly onGap?: GapPolicy;
  /**
   * How long reads may fail in a row before their error goes through, counted from the last good answer.
   * @defaultValue 300 000
   */
  readonly outage?: number;
}

/** Options of {@link Endpoint.watchHealth}; all durations in milliseconds. */
export interface WatchHealthOptions extends Pick<CallOptions, 'timeout' | 'signal'> {
  /**
   * From one answer to the next read. Watchers with the same `every` share their reads.
   * @defaultValue 5 000
   */
  readonly every?: number;
  /**
   * How long reads may fail in a row before their error goes through, counted from the last good answer.
   * @defaultValue 300 000
   */
  readonly outage?: number;
}

/** What {@link Endpoint.request} sends. */
export interface RawRequest extends CallOptions {
  /** @defaultValue `POST` with a body, else `GET` */
  readonly method?: TransportRequest['method'];
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
}

/**
 * One RunPod Serverless endpoint: a method for each API call, each a cold Observable that sends nothing until it is
 * subscribed to. Endpoints of the same id and client share their reading, their budget and their limits.
 *
 * A job that failed, was cancelled or timed out is data on `run`, `runSync`, `status`, `watch`, `cancel` and `retry`;
 * `stream`, and the operator `jobOutput`, turn it into an error.
 */
export class Endpoint<I extends object = Record<string, unknown>, O = unknown, C = unknown>
  implements JobRunner<I, O>, StatusReader<O>, Canceller<O>
{
  readonly #state: EndpointState;
  readonly #options: EndpointOptions<I, O, C>;

  /** @internal */
  constructor(state: EndpointState, options: EndpointOptions<I, O, C>) {
    this.#state = state;
    this.#options = options;
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
    return this.#submit('run', request, call, {});
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
    const { wait, ...call } = options;
    const state = this.#state;
    return defer(() => {
      const began = state.client.now();
      return this.#submit('runsync', request, call, { wait }, [
        ...checkWait(wait),
        ...checkDurations(pace(options)),
      ]).pipe(
        concatMap((snapshot) => {
          if (isTerminal(snapshot)) return of(snapshot);
          const { id } = snapshot;
          const timeout = call.timeout && Math.max(0, call.timeout - (state.client.now() - began));
          let over = false;
          return this.#poll(id, call).pipe(
            // Nobody else knows the id: leaving is the last chance to stop the job. An error of reading is no leaving.
            tap({
              next: (seen) => (over = isTerminal(seen)),
              unsubscribe: () => {
                if (!over) state.settle(id);
              },
            }),
            catchError((error: unknown) => {
              // Who gets an error without the id has lost the job.
              if (!(error instanceof RunpodError && error.jobId)) state.settle(id);
              return throwError(() => asAccepted(error));
            }),
            state.guard({ ...call, timeout }, () => ({
              ...state.context({ operation: 'runsync', jobId: id }),
              accepted: 'unknown',
            })),
            this.#checked(),
          );
        }),
        filter(isTerminal),
      );
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
    const fetch = () => this.#fetch(id, own ? call : {});
    return (own ? defer(fetch) : this.#state.jobs.read(id, fetch)).pipe(
      this.#state.guard(call, () => this.#state.context({ operation: 'status', jobId: id })),
      this.#checked(),
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
    return this.#poll(id, options).pipe(
      this.#state.guard(options, () => this.#state.context({ operation: 'status', jobId: id })),
      this.#checked(),
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
   * The service hands each chunk out once, so there is one reader for each job and client; a second one errors with
   * `StreamInUseError`, and one that comes after it left goes on where it stopped. A job that ended otherwise gives its
   * chunks first, then its error (`JobFailedError`, …). Where an answer was lost on the way, `onGap` decides; nothing is
   * lost silently. Unsubscribing aborts the read and does nothing to the job.
   */
  stream(id: string, options: StreamOptions = {}): Observable<C> {
    const state = this.#state;
    const { wait, onGap, outage } = options;
    const { scheduler } = state.client.settings;
    const context = state.context({ operation: 'stream', jobId: id });
    const call = callOf(options);
    let begun: { readonly sent: boolean } | undefined;
    const read = () =>
      state.call(
        {
          operation: 'stream',
          jobId: id,
          query: { wait },
          held: wait ?? STREAM_WAIT,
          issues: [...checkWait(wait), ...checkDurations({ outage })],
          begun: (trace) => (begun = trace),
          read: ({ text }) => parseStream(text, state.parse),
        },
        call,
      );
    return state.jobs
      .stream(
        id,
        () =>
          new StreamInUseError(
            `the stream of job ${id} is being read already: share that Observable, since each chunk comes once`,
            context,
          ),
        (cursor) =>
          streamChunks(read, {
            status: () => this.#poll(id, { ...call, outage }),
            cursor,
            context,
            scheduler,
            onGap,
            outage,
            reached: () => !!begun?.sent,
            check: (chunk) =>
              validate(this.#options.chunk, 'chunk', chunk, (issues) => this.#mismatch(issues, id, { chunk })),
          }),
      )
      .pipe(
        state.guard(options, () => context),
        concatMap((event) => {
          // Checked by the endpoint's schema, or of the type that the caller says.
          if (event.type === 'chunk') return of(event.chunk as C);
          const { client } = state;
          const request = { endpointId: state.id ?? '', operation: 'stream', jobId: id };
          client.report(request, client.trace(), { type: 'gap', delivered: event.delivered });
          return EMPTY;
        }),
      );
  }

  /**
   * Cancels a job, queued or running: `POST /cancel`. Emits the answer and completes. Watchers of the job read it anew.
   *
   * Repeated until it is answered, a bounded number of times. What the service answers for a job that is over is not
   * documented. Unsubscribing aborts the request, which may have had its effect.
   */
  cancel(id: string, call: CallOptions = {}): Observable<JobSnapshot<O>> {
    return this.#state.callJob({ operation: 'cancel', jobId: id }, call).pipe(
      tap(() => {
        this.#state.jobs.refresh(id);
      }),
      this.#checked(),
    );
  }

  /**
   * Runs a job again that FAILED or TIMED_OUT, under the same id and with its original input: `POST /retry`. Emits the
   * answer and completes. The previous output is gone (RunPod documentation, "Send API requests").
   *
   * It is a submission: errors and unsubscribing act as on `run`, where leaving cancels the job.
   */
  retry(id: string, call: CallOptions = {}): Observable<JobSnapshot<O>> {
    return this.#state.callJob({ operation: 'retry', jobId: id }, call).pipe(
      tap(() => {
        this.#state.jobs.refresh(id);
      }),
      this.#checked(),
    );
  }

  /** Reads the endpoint's counts of jobs and workers: `GET /health`. Emits one value and completes. */
  health(call: CallOptions = {}): Observable<EndpointHealth> {
    return this.#state.call({ operation: 'health', read: ({ text }) => parseHealth(text) }, call);
  }

  /**
   * Polls the endpoint's health. Emits every answer, the latest one at once to who comes later, and never completes.
   * Failures that may pass are ridden out for `outage`. The reading stops when the last subscriber leaves.
   */
  watchHealth(options: WatchHealthOptions = {}): Observable<EndpointHealth> {
    const context = (): ErrorContext => this.#state.context({ operation: 'health' });
    return defer(() => {
      const issues = checkDurations(pace(options));
      if (issues.length) throw invalidRequest(issues, context());
      return this.#state.watchHealth(() => this.health(), options);
    }).pipe(this.#state.guard(options, context));
  }

  /**
   * Removes all queued jobs of the endpoint, whoever submitted them: `POST /purge-queue`. Running jobs are not touched.
   * Emits one value and completes. Not repeated where the answer is lost, since jobs may have been queued in between.
   * Unsubscribing aborts the request, which may have had its effect.
   */
  purgeQueue(call: CallOptions = {}): Observable<PurgeResult> {
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

  #submit(
    operation: 'run' | 'runsync',
    request: JobRequest<I>,
    { allowEmptyInput, ...call }: RunOptions,
    query: { readonly wait?: number },
    issues: readonly Issue[] = [],
  ): Observable<JobSnapshot<O>> {
    const state = this.#state;
    const checked$ = defer(() =>
      validate(this.#options.input, 'input', (request as Partial<JobRequest<I>> | undefined)?.input as I, (found) =>
        invalidRequest(found, state.context({ operation })),
      ),
    ).pipe(map((input) => ({ ...request, input })));
    return checked$.pipe(
      concatMap((ready) => {
        const { body, issues: found } = jobBody(ready, operation, allowEmptyInput);
        return state.callJob(
          {
            operation,
            query,
            held: operation === 'runsync' ? (query.wait ?? RUNSYNC_WAIT) : undefined,
            body,
            issues: [...found, ...issues],
          },
          call,
        );
      }),
      this.#checked(),
    );
  }

  #fetch(id: string, call: CallOptions): Observable<JobSnapshot> {
    return this.#state.callJob({ operation: 'status', jobId: id }, call);
  }

  /** Polls a job without checking its output. */
  #poll(id: string, { every, poll, outage, headers, context }: WatchOptions): Observable<JobSnapshot> {
    const { scheduler, random } = this.#state.client.settings;
    return defer(() => {
      const issues = checkDurations({ every, outage });
      if (issues.length) throw invalidRequest(issues, this.#state.context({ operation: 'status', jobId: id }));
      return this.#state.jobs.watch(id, () => this.#fetch(id, { headers, context }), {
        poll: poll ?? adaptivePolicy(random),
        scheduler,
        every,
        outage,
      });
    });
  }

  /** Checks the output of a completed job where there is a schema. */
  #checked() {
    const { output: schema } = this.#options;
    return concatMap((snapshot: JobSnapshot): Observable<JobSnapshot<O>> => {
      if (!schema || snapshot.status !== 'COMPLETED') return of(snapshot as JobSnapshot<O>);
      return validate(schema, 'output', snapshot.output, (issues) =>
        this.#mismatch(issues, snapshot.id, { snapshot }),
      ).pipe(map((output) => ({ ...snapshot, output })));
    });
  }

  #mismatch(
    issues: readonly Issue[],
    jobId: string,
    found: { readonly snapshot?: JobSnapshot; readonly chunk?: unknown },
  ): JobOutputError {
    return new JobOutputError(
      `what job ${jobId} gave does not match the schema: ${issuesText(issues)}`,
      this.#state.context({ operation: 'snapshot' in found ? 'status' : 'stream', jobId }),
      { issues, ...found },
    );
  }
}

/** What of a longer call's options goes into each of its requests: its timeout and signal are the whole call's. */
function callOf({ headers, context }: CallOptions): CallOptions {
  return { headers, context };
}

function pace({ every, outage }: Pick<WatchOptions, 'every' | 'outage'>) {
  return { every, outage };
}
