import {
  AsyncSubject,
  ReplaySubject,
  catchError,
  defer,
  filter,
  finalize,
  map,
  merge,
  share,
  switchMap,
  take,
  tap,
  throwError,
  timer,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { JobExpiredError } from '../errors/JobExpiredError.js';
import { JobNotFoundError } from '../errors/JobNotFoundError.js';
import { ResponseError } from '../errors/ResponseError.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import { invalidRequest } from '../errors/invalidRequest.js';
import { submissionUnknown } from '../errors/submissionUnknown.js';
import { toHttpError } from '../errors/toHttpError.js';
import { cancelUntilConfirmed, settled, type CancelOutcome } from '../job/cancelUntilConfirmed.js';
import { checkDurations, checkId } from '../protocol/checks.js';
import type { JsonParser } from '../protocol/json.js';
import { clip, isEndpointMissing } from '../protocol/message.js';
import { isRefusal, operationRow } from '../protocol/operations.js';
import type { Parsed } from '../protocol/Parsed.js';
import { isTerminal, parseSnapshot } from '../protocol/snapshot.js';
import { adaptivePolicy } from '../sources/PollPolicy.js';
import { pollHealth, type PollHealthOptions } from '../sources/pollHealth.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { redact, type CallState } from '../http/CallState.js';
import type { CallRequest } from '../types/Link.js';
import type { CallOptions } from '../types/callOptions.js';
import type { Reply } from '../types/Transport.js';
import type { ApiCall } from '../http/ApiCall.js';
import { closedError, type ClientContext } from '../http/ClientContext.js';
import { JobCache } from '../polling/JobCache.js';
import { HELD_MARGIN } from '../polling/HeldReads.js';
import { StatusPoller } from '../polling/StatusPoller.js';
import { keepSubmission } from '../http/keepSubmission.js';
import { withTimeoutAndSignal } from './withTimeoutAndSignal.js';

/** How long a job just submitted may answer 404 before it counts as missing, in milliseconds. */
const SUBMISSION_LAG = 10_000;

const REQUEST_TIMEOUT = { read: 30_000, command: 30_000, submission: 120_000 } as const;

/** How a job that was left is cancelled. */
export interface CancelAbandonedOptions {
  /** The caller's own name for the job. */
  readonly tag?: string | undefined;
  /** Whether it is known to run, and cost: it goes first then, and if it is known not to, it lets the others go first. */
  readonly urgent?: boolean | undefined;
  /** Only if no worker has taken it yet. */
  readonly ifQueued?: boolean;
}

/** What errors say of where they happened, beside the endpoint. */
type Where = Pick<ApiCall<unknown>, 'operation' | 'jobId' | 'tag'>;

/** What all views of one endpoint share. */
export class EndpointContext {
  readonly id: string | undefined;
  readonly client: ClientContext;
  readonly jobs: JobCache;
  /** Of the view that brought one last; the reads are shared, and so is the way they are parsed. */
  parse?: JsonParser;
  readonly #settling = new Map<string, Observable<CancelOutcome>>();
  readonly #health = new Map<string, Observable<EndpointHealth>>();

  constructor(id: string | undefined, client: ClientContext) {
    this.id = id;
    this.client = client;
    const { scheduler, random, notices } = client.settings;
    const board = new StatusPoller(scheduler, adaptivePolicy(random), (operation) =>
      client.rateLimiterFor(id ?? '', operation),
    );
    this.jobs = new JobCache(board, notices);
  }

  context({ operation, jobId, tag }: Where): ErrorContext {
    return { operation, jobId, tag, endpointId: this.id };
  }

  /** Makes a call: one value, or an error. */
  call<T>(call: ApiCall<T>, options: CallOptions = {}): Observable<T> {
    return defer(() => {
      const { id, client } = this;
      const { jobId, ownership } = call;
      const context = this.context(call);
      const { kind } = operationRow(call.operation, call.method);
      const submission = kind === 'submission';
      // Whom a held read asks for was read before.
      const lagging = call.operation === 'status-sync' ? -Infinity : SUBMISSION_LAG;
      const trace = client.newCallState((this.jobs.get(jobId)?.submittedAt ?? -Infinity) + lagging, call.urgent);
      const at = (): ErrorContext => ({
        ...context,
        accepted: kind === 'read' ? undefined : trace.maybeReceived ? 'unknown' : 'no',
      });
      if (client.closed && ownership !== 'settling') throw closedError(at());
      if (!id) throw new ConfigurationError('there is no endpoint id: give endpoint(id), or set ENDPOINT_ID', at());
      const issues = checkId('endpoint id', id).concat(
        'jobId' in call && ownership !== 'settling' ? checkId('job id', jobId) : [],
        call.issues ?? [],
      );
      if (issues.length) throw invalidRequest(issues, context);
      call.onStart?.(trace);
      const answer$ = client
        .send(this.#request(call, id, kind, options), trace)
        .pipe(map((reply) => this.#read(reply, call, at, trace)));
      const kept$ = submission
        ? keepSubmission(
            answer$.pipe(
              catchError((error: unknown) =>
                throwError(() => (trace.maybeReceived ? submissionUnknown(context, error) : error)),
              ),
            ),
            trace,
            () => this.#left(call, trace),
          )
        : answer$;
      return ownership ? kept$ : kept$.pipe(this.guard(options, at, submission));
    });
  }

  /** A call whose answer is a job. */
  callJob(call: Omit<ApiCall<JobSnapshot>, 'read'>, options?: CallOptions): Observable<JobSnapshot> {
    return this.call(call, options);
  }

  /** Ends what a caller sees of a call at its timeout, its signal, or when the client is closed. */
  guard<T>(options: CallOptions, context: () => ErrorContext, submission = false): MonoTypeOperatorFunction<T> {
    const { client } = this;
    const { timeout, signal } = options;
    const issues = timeout === undefined ? [] : checkDurations({ timeout });
    if (issues.length) return () => throwError(() => invalidRequest(issues, context()));
    const limited = withTimeoutAndSignal<T>({ timeout, signal }, context, client.settings.scheduler, submission);
    return (source) => client.whileOpen(limited(source), context);
  }

  /** The same for what is read for several callers at once: nothing was submitted, and there is no call of its own. */
  reading<T>(options: CallOptions, where: Where): MonoTypeOperatorFunction<T> {
    return this.guard(options, () => this.context(where));
  }

  /** Polls the endpoint's health, once for all who want it at the same pace; the latest is replayed. */
  watchHealth(
    read: () => Observable<EndpointHealth>,
    { every = 5000, outage = 300_000 }: PollHealthOptions,
  ): Observable<EndpointHealth> {
    const { scheduler } = this.client.settings;
    const pace = `${every}/${outage}`;
    const shared$ =
      this.#health.get(pace) ??
      pollHealth(read, { every, outage, scheduler }).pipe(share({ connector: () => new ReplaySubject(1) }));
    this.#health.set(pace, shared$);
    return shared$;
  }

  /**
   * Cancels a job that was left, whatever it takes, and whoever listens; `settled()` waits for it. Of those that wait for
   * their turn, the urgent go first.
   */
  cancelAbandoned(
    id: string,
    { tag, urgent, ifQueued = false }: CancelAbandonedOptions = {},
  ): Observable<CancelOutcome> {
    const { client, jobs } = this;
    const name = `${id}/${ifQueued}`;
    const going = this.#settling.get(name);
    if (going) return going;
    const settled$ = new AsyncSubject<CancelOutcome>();
    this.#settling.set(name, settled$);
    const { scheduler } = client.settings;
    const end = client.pendingCancels.track();
    const trace = client.newCallState();
    const request = { endpointId: this.id ?? '', operation: 'cancel', jobId: id, tag };
    const call = (operation: string) => () =>
      this.callJob({ operation, jobId: id, tag, urgent, ownership: 'settling' });
    // Those that are left together: the urgent ones are already in line when the others get there.
    const cancel = () => (urgent === false ? timer(0, scheduler).pipe(switchMap(call('cancel'))) : call('cancel')());
    client.report(request, trace, { type: 'cancel', outcome: 'started' });
    merge(
      cancelUntilConfirmed(
        cancel,
        () => jobs.read(id, call('status')),
        scheduler,
        ifQueued,
        () => !!jobs.get(id)?.over,
      ),
      // Others may be told before that it is over.
      jobs.snapshotsOf(id).pipe(filter(isTerminal), map(settled)),
    )
      .pipe(
        take(1),
        tap(({ outcome }) => {
          const { endpointId } = request;
          const ref = { v: 1, endpointId, id, submittedAt: jobs.get(id)?.submittedAt, tag } as const;
          if (outcome !== 'running') client.pendingCancels.record(outcome, ref);
          client.report(request, trace, { type: 'cancel', outcome });
          jobs.refresh(id);
        }),
        finalize(() => {
          this.#settling.delete(name);
          end.unsubscribe();
        }),
      )
      .subscribe(settled$);
    return settled$;
  }

  /** What is done with the answer to a submission whose subscriber left. */
  #left<T>(call: ApiCall<T>, trace: CallState): (answer?: T) => void {
    const end = this.client.pendingCancels.track();
    return (answer) => {
      const job = call.read ? undefined : (answer as JobSnapshot | undefined);
      // A lost answer to /retry still names its job, and one to /run does not; a refusal started nothing.
      const id = job ? !isTerminal(job) && job.id : trace.maybeReceived && call.jobId;
      if (id) void this.cancelAbandoned(id, { tag: call.tag });
      end.unsubscribe();
    };
  }

  #request<T>(call: ApiCall<T>, endpointId: string, kind: CallRequest['kind'], options: CallOptions): CallRequest {
    const { base, requestTimeout } = this.client.settings;
    const { operation, jobId, tag, body, holdFor, query, method = operationRow(operation).method } = call;
    const search = [base.query, query && searchOf(query)].filter(Boolean).join('&');
    return {
      method,
      url: `${base.path}/${endpointId}/${operation}${jobId ? `/${encodeURIComponent(jobId)}` : ''}${search && `?${search}`}`,
      headers: headersOf(body, options.headers),
      body,
      timeout: holdFor === undefined ? (requestTimeout ?? REQUEST_TIMEOUT[kind]) : holdFor + HELD_MARGIN,
      operation,
      endpointId,
      kind,
      jobId,
      tag,
      context: options.context ?? {},
    };
  }

  #read<T>(reply: Reply, call: ApiCall<T>, at: () => ErrorContext, trace: CallState): T {
    const { client, jobs } = this;
    const { status } = reply;
    const { jobId, operation } = call;
    const { kind } = operationRow(operation, call.method);
    const job = !call.read;
    // What is read as a job is one where the call says so.
    const parse = (text: string) =>
      call.read
        ? call.read({ ...reply, text })
        : (parseSnapshot(text, { parse: this.parse, id: jobId, lenient: kind === 'submission' }) as Parsed<T>);
    const parsed = status >= 200 && status < 300 ? parse(reply.text) : undefined;
    if (parsed && 'value' in parsed) {
      if (job) {
        const snapshot = parsed.value as JobSnapshot;
        const submittedAt = kind === 'submission' ? client.now() : undefined;
        jobs.markKnown(snapshot.id, submittedAt, isTerminal(snapshot));
      }
      return parsed.value;
    }
    const context = at();
    // From here on the text is for people; cut before the key is taken out, it could hold the key's beginning.
    const text = redact(reply.text, trace);
    if (parsed) {
      const clean = parse(text);
      const issue = 'issue' in clean ? clean.issue : parsed.issue;
      const excerpt = clip(text, 500);
      throw new ResponseError(`the answer to ${operation} on endpoint ${this.id ?? '?'} ${issue}`, context, {
        excerpt,
        retryable: true,
      });
    }
    if (job && status >= 400 && status < 500 && status !== 429) {
      const refused = parseSnapshot(reply.text);
      // The caller asked for a job, and this is one that is over; other refusals may have an id and a status, too.
      if ('value' in refused && isTerminal(refused.value)) return refused.value as T;
    }
    if (status === 404 && jobId && !isEndpointMissing(text)) {
      const known = jobs.get(jobId);
      throw known?.known
        ? new JobExpiredError(`job ${jobId} is gone: its ttl, or the time its result is kept, is over`, context, {
            snapshot: known.last,
          })
        : new JobNotFoundError(
            `there is no job ${jobId} on endpoint ${this.id ?? '?'}: check both ids and the API key`,
            context,
          );
    }
    const accepted = context.accepted && (isRefusal(status) ? 'no' : 'unknown');
    // Of a submission that may have been accepted, `submissionUnknown` says what to do.
    const lost = accepted === 'unknown' && kind === 'submission';
    throw toHttpError(
      reply,
      { ...context, accepted },
      { now: client.now(), redact: (words) => redact(words, trace), advise: !lost },
    );
  }
}

/** The headers of a request, but for the key, which is the client's to send. */
function headersOf(body: string | undefined, given: CallOptions['headers']): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  for (const [name, value] of Object.entries(given ?? {})) {
    const lower = name.toLowerCase();
    if (lower !== 'authorization') headers[lower] = value;
  }
  return headers;
}

function searchOf(query: NonNullable<ApiCall<unknown>['query']>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return String(new URLSearchParams(given));
}
