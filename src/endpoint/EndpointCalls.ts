import { Observable, concatMap, defer, map, of, tap, type OperatorFunction } from 'rxjs';
import { JobOutputError } from '../errors/JobOutputError.js';
import { StreamInUseError } from '../errors/StreamInUseError.js';
import { invalidRequest } from '../errors/invalidRequest.js';
import { checkDurations, checkWait, checkWatch, issuesText, jobBody, type Issue } from '../protocol/checks.js';
import { parseHealth } from '../protocol/health.js';
import { RUNSYNC_WAIT, STREAM_WAIT } from '../protocol/limits.js';
import { isTerminalStatus } from '../protocol/snapshot.js';
import { parseStream } from '../protocol/streamReply.js';
import type { ReaderPosition } from '../sources/StreamCursor.js';
import { streamChunks } from '../sources/streamChunks.js';
import type { StreamEvent } from '../sources/StreamEvent.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { CallOptions, RunOptions, StreamOptions, WatchOptions } from '../types/callOptions.js';
import type { ApiCall } from '../http/ApiCall.js';
import type { EndpointOptions } from './EndpointOptions.js';
import type { EndpointContext } from './EndpointContext.js';
import type { ReadJob } from '../polling/KnownJob.js';
import { validate } from './validate.js';

/** What a call says beside its options. */
type CallMeta = Pick<ApiCall<unknown>, 'tag' | 'ownership' | 'onStart'>;

/** The calls that an endpoint's methods and its jobs are made of: read and checked as the endpoint's options say. */
export class EndpointCalls<I extends object, O, C> {
  readonly state: EndpointContext;
  readonly #options: EndpointOptions<I, O, C>;

  constructor(state: EndpointContext, options: EndpointOptions<I, O, C>) {
    this.state = state;
    this.#options = options;
  }

  /** Submits a job, once its input was checked. */
  submit(
    operation: 'run' | 'runsync',
    request: JobRequest<I>,
    { allowEmptyInput, ...call }: RunOptions,
    wait?: number,
    issues: readonly Issue[] = [],
    particulars: CallMeta = {},
  ): Observable<JobSnapshot<O>> {
    const { state } = this;
    return defer(() =>
      validate(this.#options.input, 'input', (request as Partial<JobRequest<I>> | undefined)?.input as I, (found) =>
        invalidRequest(found, state.context({ operation, ...particulars })),
      ),
    ).pipe(
      concatMap((input) => {
        const { body, issues: found } = jobBody({ ...request, input }, operation, { allowEmptyInput });
        return state.callJob(
          {
            ...particulars,
            operation,
            query: { wait },
            holdFor: operation === 'runsync' ? (wait ?? RUNSYNC_WAIT) : undefined,
            body,
            issues: [...found, ...issues],
          },
          call,
        );
      }),
      this.checked(),
    );
  }

  /** Reads a job once, for all who wait for it: each of them ends by itself. The service may hold it for `wait`. */
  fetch(id: string, call: CallOptions, particulars: CallMeta = {}, wait?: number): Observable<JobSnapshot> {
    const operation = wait ? 'status-sync' : 'status';
    const query = wait ? { wait } : undefined;
    return this.state.callJob(
      { ...particulars, ownership: 'reader', operation, jobId: id, query, holdFor: wait },
      call,
    );
  }

  /** Reads the endpoint's counts. */
  health(call?: CallOptions): Observable<EndpointHealth> {
    const { id = '', client } = this.state;
    return this.state.call({ operation: 'health', read: ({ text }) => parseHealth(text) }, call).pipe(
      tap(({ workers }) => {
        client.noteRunningWorkers(id, workers.running);
      }),
    );
  }

  /** Does something to a job, which those who watch it then read anew. */
  act(operation: 'cancel' | 'retry', id: string, call: CallOptions): Observable<JobSnapshot<O>> {
    return this.state.callJob({ operation, jobId: id }, call).pipe(
      tap(() => {
        this.state.jobs.refresh(id);
      }),
      this.checked(),
    );
  }

  /** Polls a job without checking its output. */
  poll(id: string, options: WatchOptions, particulars: CallMeta = {}): Observable<JobSnapshot> {
    const { state } = this;
    return new Observable((subscriber) => {
      const issues = checkWatch(options);
      if (issues.length) throw invalidRequest(issues, state.context({ operation: 'status', jobId: id }));
      const readJob: ReadJob = (wait) => this.fetch(id, options, particulars, wait);
      state.jobs.watch(id, { readJob, options }, subscriber);
    });
  }

  /**
   * Reads a job's stream.
   *
   * @param ref - how far it was read elsewhere
   * @param finished - called when an answer says that the job is over
   */
  chunks(
    id: string,
    { wait, onGap, outage, headers, context }: StreamOptions,
    particulars: CallMeta = {},
    place: ReaderPosition = {},
    finished?: () => void,
  ): Observable<StreamEvent> {
    const { state } = this;
    const at = state.context({ operation: 'stream', jobId: id, ...particulars });
    const call = { headers, context };
    let started: { readonly maybeReceived: boolean } | undefined;
    const read = () =>
      state
        .call(
          {
            ...particulars,
            operation: 'stream',
            jobId: id,
            query: { wait },
            holdFor: wait ?? STREAM_WAIT,
            issues: [...checkWait(wait), ...checkDurations({ outage })],
            onStart: (trace) => (started = trace),
            read: ({ text }) => parseStream(text, state.parse),
          },
          call,
        )
        .pipe(
          tap(({ status }) => {
            if (isTerminalStatus(status)) state.jobs.markKnown(id, undefined, true);
          }),
        );
    return state.jobs.stream(
      id,
      place,
      () =>
        new StreamInUseError(
          `the stream of job ${id} is being read already: share that Observable, since each chunk comes once`,
          at,
        ),
      (cursor) =>
        streamChunks(read, {
          status: () => this.poll(id, { ...call, outage }, particulars),
          cursor,
          context: at,
          scheduler: state.client.settings.scheduler,
          onGap,
          outage,
          reached: () => !!started?.maybeReceived,
          ...(finished && { ended: finished }),
          check: (chunk) =>
            validate(this.#options.chunk, 'chunk', chunk, (issues) => this.#mismatch(issues, id, { chunk })),
        }).pipe(
          tap((event) => {
            const { id: endpointId = '', client } = state;
            const request = { ...particulars, endpointId, operation: 'stream', jobId: id };
            // A read of the stream may have taken chunks with it.
            if (event.type === 'gap') client.report(request, client.newCallState(), event);
          }),
        ),
    );
  }

  /**
   * Checks the output of a completed job where there is a schema.
   *
   * @param finished - called before that is checked, when the job is over
   */
  checked(finished?: () => void): OperatorFunction<JobSnapshot, JobSnapshot<O>> {
    const { output: schema } = this.#options;
    // Of the type that the caller says.
    if (!schema) return (source) => source as Observable<JobSnapshot<O>>;
    return concatMap((snapshot: JobSnapshot): Observable<JobSnapshot<O>> => {
      if (snapshot.status !== 'COMPLETED') return of(snapshot);
      finished?.();
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
      this.state.context({ operation: 'snapshot' in found ? 'status' : 'stream', jobId }),
      { issues, ...found },
    );
  }
}
