import { ReplaySubject, catchError, defer, map, mergeMap, share, takeUntil, throwError, type Observable } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { JobExpiredError } from '../errors/JobExpiredError.js';
import { JobNotFoundError } from '../errors/JobNotFoundError.js';
import { ResponseError } from '../errors/ResponseError.js';
import type { ErrorContext, RunpodError } from '../errors/RunpodError.js';
import { invalidRequest } from '../errors/invalidRequest.js';
import { submissionUnknown } from '../errors/submissionUnknown.js';
import { toHttpError } from '../errors/toHttpError.js';
import { settleJob } from '../job/settleJob.js';
import { checkDurations, checkId, issuesOf } from '../protocol/checks.js';
import type { JsonParser } from '../protocol/json.js';
import { clip, isEndpointMissing } from '../protocol/message.js';
import { isRefusal, operationRow } from '../protocol/operations.js';
import { isTerminal, parseSnapshot } from '../protocol/snapshot.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { CallRequest } from '../types/Link.js';
import type { CallOptions } from '../types/options.js';
import type { Reply } from '../types/Transport.js';
import { pollHealth, type PollHealthOptions } from '../sources/pollHealth.js';
import type { Call } from './Call.js';
import type { ClientState } from './ClientState.js';
import { keepSubmission } from './keepSubmission.js';
import { limit } from './limit.js';
import { Recent } from './Recent.js';
import { StatusReads } from './StatusReads.js';
import { StreamReads } from './StreamReads.js';

/** How long a job just submitted may answer 404 before it counts as missing, in milliseconds. */
const LAG = 10_000;

/** How many jobs are remembered as seen, the newest. */
const SEEN = 4096;

/** How long the server may take beyond the time it was asked to hold an answer, in milliseconds. */
const HELD_MARGIN = 15_000;

const REQUEST_TIMEOUT = { read: 30_000, command: 30_000, submission: 120_000 } as const;

/** What all views of one endpoint share. */
export class EndpointState {
  readonly id: string | undefined;
  readonly client: ClientState;
  readonly reads: StatusReads;
  readonly streams = new StreamReads();
  readonly #health = new Map<string, Observable<EndpointHealth>>();
  /** When each job was submitted by this client (`now()`); `-Infinity` where it was only seen. */
  readonly #seen = new Recent<number>(SEEN);

  constructor(id: string | undefined, client: ClientState) {
    this.id = id;
    this.client = client;
    this.reads = new StatusReads(client.settings.notices);
  }

  /** When this client submitted a job, if it did. */
  submittedAt(id: string): number | undefined {
    const at = this.#seen.get(id);
    return at === undefined || at === -Infinity ? undefined : at;
  }

  context({ operation, jobId }: Pick<Call<unknown>, 'operation' | 'jobId'>): ErrorContext {
    return { operation, jobId, endpointId: this.id };
  }

  /**
   * Makes a call: one value, or an error.
   *
   * @param settling - the call cancels a job that was left, and may be made when the client is closed
   */
  call<T>(call: Call<T>, options: CallOptions = {}, settling = false): Observable<T> {
    return defer(() => {
      const { id, client } = this;
      const context = this.context(call);
      const row = operationRow(call.operation, call.method);
      const submission = row.kind === 'submission';
      if (client.closed && !settling) throw new ConfigurationError('the client is closed', context);
      if (!id) throw new ConfigurationError('there is no endpoint id: give endpoint(id), or set ENDPOINT_ID', context);
      const issues = [
        ...issuesOf(checkId('endpoint id', id), 'jobId' in call ? checkId('job id', call.jobId) : undefined),
        ...checkDurations({ timeout: options.timeout }),
        ...(call.issues ?? []),
      ];
      if (issues.length) throw invalidRequest(issues, context);

      const trace = client.trace((this.#seen.get(call.jobId ?? '') ?? -Infinity) + LAG);
      const at = (): ErrorContext => (submission ? { ...context, accepted: trace.sent ? 'unknown' : 'no' } : context);
      const answer$ = client.send(this.#request(call, id, row.kind, options), trace).pipe(
        map((reply) => this.#read(reply, call, at())),
        catchError((error: unknown) =>
          throwError(() =>
            submission && trace.sent ? submissionUnknown(context, error) : error,
          ),
        ),
      );
      const kept$ = submission ? keepSubmission(answer$, trace, () => this.#left(call)) : answer$;
      return settling ? kept$ : kept$.pipe(this.guard(options, at));
    });
  }

  /** Ends what a caller sees of a call at its timeout, its signal, or when the client is closed. */
  guard<T>(options: CallOptions, context: () => ErrorContext) {
    const closed$ = this.client.closed$.pipe(
      mergeMap(() => throwError(() => new ConfigurationError('the client was closed', context()))),
    );
    return (source: Observable<T>): Observable<T> =>
      source.pipe(limit(options, context, this.client.settings.scheduler), takeUntil(closed$));
  }

  /** A call whose answer is a job. */
  callJob(
    call: Omit<Call<JobSnapshot>, 'read' | 'job'>,
    options: CallOptions,
    parse?: JsonParser,
    settling = false,
  ): Observable<JobSnapshot> {
    return this.call<JobSnapshot>(
      { ...call, job: true, read: ({ text }) => parseSnapshot(text, parse, call.jobId) },
      options,
      settling,
    );
  }

  /** Polls the endpoint's health, once for all who want it at the same pace; the latest is replayed. */
  watchHealth(
    read: () => Observable<EndpointHealth>,
    { every, outage }: PollHealthOptions,
  ): Observable<EndpointHealth> {
    const { scheduler } = this.client.settings;
    const pace = `${every}/${outage}`;
    const shared$ =
      this.#health.get(pace) ??
      pollHealth(read, { every, outage, scheduler }).pipe(share({ connector: () => new ReplaySubject(1) }));
    this.#health.set(pace, shared$);
    return shared$;
  }

  /** Cancels a job whose subscriber left, whatever it takes; `settled()` waits for it. */
  settle(id: string): void {
    const { client } = this;
    const { scheduler } = client.settings;
    const end = client.settlements.begin();
    const trace = client.trace();
    const submittedAt = this.submittedAt(id);
    const ref: JobRef = { v: 1, endpointId: this.id ?? '', id, submittedAt };
    const request = { endpointId: ref.endpointId, operation: 'cancel', jobId: id };
    client.report(request, trace, { type: 'cancel', outcome: 'started' });
    settleJob(
      () => this.callJob({ operation: 'cancel', jobId: id }, {}, undefined, true),
      () => this.callJob({ operation: 'status', jobId: id }, {}, undefined, true),
      scheduler,
    ).subscribe((outcome) => {
      client.settlements.record(outcome, ref);
      client.report(request, trace, { type: 'cancel', outcome });
      this.reads.refresh(id);
      end();
    });
  }

  #left<T>(call: Call<T>): (answer?: T) => void {
    const end = this.client.settlements.begin();
    return (answer) => {
      const job = call.job ? (answer as JobSnapshot | undefined) : undefined;
      // A lost answer to /retry still names its job; one to /run does not.
      const id = job ? (isTerminal(job) ? undefined : job.id) : call.jobId;
      if (id !== undefined) this.settle(id);
      end();
    };
  }

  #request<T>(call: Call<T>, endpointId: string, kind: CallRequest['kind'], options: CallOptions): CallRequest {
    const { base, requestTimeout } = this.client.settings;
    const { operation, jobId, body, held, query = {}, method = operationRow(operation).method } = call;
    const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const search = [base.query, String(new URLSearchParams(given))].filter(Boolean).join('&');
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = value;
    // The key goes to where the client sends it, and from nowhere else.
    delete headers.authorization;
    return {
      method,
      url: [base.path, endpointId, operation, ...(jobId ? [jobId] : [])].join('/') + (search && `?${search}`),
      headers,
      body,
      timeout: held === undefined ? (requestTimeout ?? REQUEST_TIMEOUT[kind]) : held + HELD_MARGIN,
      operation,
      endpointId,
      kind,
      jobId,
      context: options.context ?? {},
    };
  }

  #read<T>(reply: Reply, call: Call<T>, context: ErrorContext): T {
    const { status, text } = reply;
    if (status >= 200 && status < 300) {
      const parsed = call.read(reply);
      if (!('value' in parsed)) {
        const { redact } = this.client;
        throw new ResponseError(
          redact(`the answer to ${call.operation} on endpoint ${this.id ?? '?'} ${parsed.issue}`),
          context,
          { excerpt: redact(clip(text, 500)), retryable: true },
        );
      }
      if (call.job) this.#heard(parsed.value as JobSnapshot, call);
      return parsed.value;
    }
    if (call.job && status >= 400 && status < 500 && status !== 429) {
      const job = parseSnapshot(text);
      // The caller asked for a job, and this is one: a refusal that names it is the job's answer.
      if ('value' in job) return job.value as T;
    }
    if (status === 404 && call.jobId !== undefined && !isEndpointMissing(text))
      throw this.#missing(call.jobId, context);
    throw toHttpError(
      reply,
      { ...context, accepted: context.accepted && (isRefusal(status) ? 'no' : 'unknown') },
      this.client.now(),
      this.client.redact,
    );
  }

  #missing(id: string, context: ErrorContext): RunpodError {
    return this.#seen.has(id)
      ? new JobExpiredError(`job ${id} is gone: its ttl, or the time its result is kept, is over`, context, {
          snapshot: this.reads.last(id),
        })
      : new JobNotFoundError(
          `endpoint ${this.id ?? '?'} has no job ${id}: check both ids, and that the API key belongs to the endpoint's account`,
          context,
        );
  }

  #heard({ id }: JobSnapshot, { operation }: Call<unknown>): void {
    if (operationRow(operation).kind === 'submission') this.#seen.set(id, this.client.now());
    else if (!this.#seen.has(id)) this.#seen.set(id, -Infinity);
  }
}
