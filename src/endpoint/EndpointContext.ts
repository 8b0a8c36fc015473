import {
  catchError,
  defer,
  identity,
  map,
  tap,
  throwError,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { RunpodError, type ErrorContext } from '../errors/RunpodError.js';
import { invalidRequest } from '../errors/invalidRequest.js';
import { readError } from '../errors/readError.js';
import { submissionUnknown } from '../errors/submissionUnknown.js';
import type { ApiCall, JobCall } from '../http/ApiCall.js';
import { buildRequest } from '../http/buildRequest.js';
import { redact, type CallState } from '../http/CallState.js';
import { closedError, type ClientContext } from '../http/ClientContext.js';
import { keepSubmission } from '../http/keepSubmission.js';
import { readReply } from '../http/readReply.js';
import { passReply } from '../http/passReply.js';
import { acceptedOf } from '../http/requestContext.js';
import { sendCall } from '../http/sendCall.js';
import { lagUntil } from '../http/submissionLag.js';
import { JobCache } from '../polling/JobCache.js';
import { checkOptions, type Checks } from '../protocol/checkOptions.js';
import { checkId, checkJobId } from '../protocol/checks.js';
import type { JsonParser } from '../protocol/json.js';
import { operationRow } from '../protocol/operations.js';
import { isTerminal } from '../protocol/snapshot.js';
import { adaptivePolicy } from '../sources/PollPolicy.js';
import type { CallOptions } from '../types/callOptions.js';
import type { JobSnapshot, TerminalSnapshot } from '../types/JobSnapshot.js';
import { JobCanceller } from './JobCanceller.js';
import { SharedHealth } from './SharedHealth.js';
import { withTimeoutAndSignal } from './withTimeoutAndSignal.js';

/** The parts of a call that errors name. */
type CallNames = Pick<ApiCall<unknown>, 'operation' | 'jobId' | 'tag'>;

/**
 * What all `Endpoint` objects of one id share: what is known of the endpoint's jobs, its health, the cancels under way, and
 * `call`, which every method comes down to.
 */
export class EndpointContext {
  readonly id: string | undefined;
  readonly client: ClientContext;
  readonly jobs: JobCache;
  readonly health: SharedHealth;
  readonly canceller: JobCanceller;
  /** The parser of the `Endpoint` object that gave one last: reads are shared, and so is the way they are parsed. */
  parse?: JsonParser;

  constructor(id: string | undefined, client: ClientContext) {
    const { scheduler, wallNow, random, notices } = client.settings;
    this.id = id;
    this.client = client;
    this.jobs = new JobCache({
      scheduler,
      wallNow,
      policy: adaptivePolicy(random),
      call: (call, options) => this.call(call, options),
      context: (jobId) => this.errorContext({ operation: 'status', jobId, tag: undefined }),
      onEnd: (snapshot) => {
        this.#reportNoticedEnd(snapshot);
      },
      rateLimiterFor: (operation) => client.rateLimiterFor(id ?? '', operation),
      connections: client.heldConnections,
      notices,
    });
    this.health = new SharedHealth(scheduler);
    this.canceller = new JobCanceller(this);
  }

  /** What errors say of where they happened. */
  errorContext({ operation, jobId, tag }: CallNames): ErrorContext {
    return { operation, jobId, tag, endpointId: this.id };
  }

  /**
   * Makes an API call: emits one value and completes, or errors. Without `read`, the value is a job. The call is checked,
   * sent by `sendCall`, and its answer read by `readReply`. The call's `ownership` says whether the caller's `timeout` and
   * `signal` end it.
   */
  call<T>(call: ApiCall<T> & Pick<Required<ApiCall<T>>, 'read'>, options?: CallOptions): Observable<T>;
  call(call: JobCall, options?: CallOptions): Observable<JobSnapshot>;
  call<T>(call: ApiCall<T>, options: CallOptions = {}): Observable<T> {
    return defer(() => {
      const { client, jobs } = this;
      const { operation, jobId, ownership = 'caller' } = call;
      // What is read for all who follow a job, and its cancel, belong to who submitted it.
      const origin = (ownership === 'caller' ? undefined : jobs.get(jobId)?.origin) ?? call.origin;
      const { kind } = operationRow(operation, call.method);
      const state = client.newCallState({
        lagUntil: lagUntil(operation, jobs.get(jobId)?.submittedAt),
        urgent: call.urgent,
        once: call.once,
        webhook: call.webhook,
        beforeSend: call.beforeSend,
        origin,
      });
      const context = (): ErrorContext => ({
        ...this.errorContext(call),
        accepted: acceptedOf(kind, state.maybeReceived),
      });
      const endpointId = this.#checkCall(call, context);
      call.onStart?.(state);
      const request = buildRequest(client.settings, endpointId, call, options);
      const answer$ = sendCall(client, request, state).pipe(
        options.onReply ? tap(passReply(options.onReply, state)) : identity,
        map((reply) =>
          readReply(reply, call, {
            state,
            context,
            parse: this.parse,
            now: client.settings.wallNow(),
            job: jobs.get(jobId),
            onJob: (snapshot) => {
              const names = { endpointId, operation, jobId: snapshot.id, tag: call.tag };
              const isOver = isTerminal(snapshot);
              if (kind === 'submission') {
                const again = operation === 'retry';
                jobs.markSubmitted(snapshot.id, isOver, { again, webhook: call.webhook, origin });
                client.report(names, state, { type: 'submitted' });
              } else {
                jobs.markKnown(snapshot.id, isOver);
                const isUnfinished = snapshot.status === 'IN_QUEUE' || snapshot.status === 'IN_PROGRESS';
                if (isUnfinished && state.sentAt !== undefined) jobs.markUnfinished(snapshot.id, state.sentAt);
              }
              if (isOver && jobs.isEndNews(snapshot.id)) client.report(names, state, endedActivity(snapshot));
            },
          }),
        ),
        catchError((error: unknown) => {
          const failure =
            kind === 'submission'
              ? this.#submissionFailure(error, call, state)
              : readError(error, context(), (text) => redact(text, state));
          this.#reportError(failure, call, state);
          return throwError(() => failure);
        }),
      );
      const result$ = kind === 'submission' ? this.#keptSubmission(answer$, call, state) : answer$;
      if (ownership !== 'caller') return result$;
      return result$.pipe(this.guard(options, context, { isSubmission: kind === 'submission' }));
    });
  }

  /** Ends what a caller sees of a call at the caller's `timeout` or `signal`, and when the client is closed. */
  guard<T>(
    { timeout, signal }: CallOptions,
    context: () => ErrorContext,
    { isSubmission = false } = {},
  ): MonoTypeOperatorFunction<T> {
    const { client } = this;
    const limited = withTimeoutAndSignal<T>(
      { timeout, signal },
      { context, scheduler: client.settings.scheduler, isSubmission },
    );
    return (source) => client.whileOpen(limited(source), context);
  }

  /**
   * The same for a read that several callers share: it has no call of its own that could have been accepted, or that
   * could check the caller's options.
   */
  guardRead<T, Options extends CallOptions>(
    options: Options,
    checks: Checks<Options>,
    names: CallNames,
  ): MonoTypeOperatorFunction<T> {
    const context = () => this.errorContext(names);
    const issues = checkOptions(options, checks);
    if (issues.length) return () => throwError(() => invalidRequest(issues, context()));
    return this.guard(options, context);
  }

  /** Reports a submission that the service may have accepted, and whose answer was lost when nobody waited for it. */
  reportLost(
    { operation, jobId, tag }: CallNames,
    state: Pick<CallState, 'id' | 'sentAt' | 'origin'>,
    error: unknown,
  ): void {
    const { client, id: endpointId = '' } = this;
    const age = client.now() - (state.sentAt ?? client.now());
    const submittedAt = Math.round(client.settings.wallNow() - age);
    const reason = lossReason(error);
    client.pendingCancels.recordLost({ endpointId, operation, submittedAt, reason, id: jobId, tag });
    client.report({ endpointId, operation, jobId, tag }, state, { type: 'lost', submittedAt, reason });
  }

  /** Reports that a job goes on which is followed no more. */
  reportDetached(jobId: string, tag: string | undefined): void {
    const { client, id: endpointId = '', jobs } = this;
    if (!client.activity$.observed) return;
    const state = client.newCallState({ origin: jobs.get(jobId)?.origin });
    client.report({ endpointId, operation: 'status', jobId, tag }, state, { type: 'detached' });
  }

  /** Reports the end of a job that a notice told of. */
  #reportNoticedEnd(snapshot: TerminalSnapshot): void {
    const { client, id: endpointId = '', jobs } = this;
    if (!client.activity$.observed) return;
    const state = client.newCallState({ origin: jobs.get(snapshot.id)?.origin });
    const names = { endpointId, operation: 'status', jobId: snapshot.id, tag: state.origin?.tag };
    client.report(names, state, endedActivity(snapshot));
  }

  #reportError(failure: unknown, { operation, jobId, tag }: CallNames, state: CallState): void {
    const { client, id: endpointId = '' } = this;
    if (!client.activity$.observed || !(failure instanceof RunpodError)) return;
    const { code, accepted } = failure;
    client.report({ endpointId, operation, jobId, tag }, state, { type: 'error', code, accepted });
  }

  /** The endpoint's id. Throws where the call cannot be sent. */
  #checkCall(call: ApiCall<unknown>, context: () => ErrorContext): string {
    const isCancel = call.ownership === 'abandoned-cancel';
    if (this.client.closed && !isCancel) throw closedError(context());
    if (!this.id)
      throw new ConfigurationError('there is no endpoint id: give endpoint(id), or set ENDPOINT_ID', context());
    const issues = [
      ...checkId('endpoint id', this.id),
      ...('jobId' in call ? checkJobId('job id', call.jobId) : []),
      ...(call.issues ?? []),
    ];
    if (issues.length) throw invalidRequest(issues, this.errorContext(call));
    return this.id;
  }

  /** What a caller is told of a submission that failed. */
  #submissionFailure(error: unknown, call: CallNames, state: CallState): unknown {
    if (state.maybeReceived) {
      // Only `/retry` is a submission that has an id already.
      if (call.jobId !== undefined) this.jobs.markPerhapsRetried(call.jobId);
      return submissionUnknown(this.errorContext(call), error);
    }
    // A link may fail with `undefined`, which tells nobody anything.
    const names = { ...this.errorContext(call), accepted: 'no' } as const;
    return error ?? new ConfigurationError('the call failed before it was sent, and nothing says why', names);
  }

  /** A submission whose job is cancelled where its subscriber leaves before the answer. */
  #keptSubmission<T>(answer$: Observable<T>, call: ApiCall<T>, state: CallState): Observable<T> {
    return keepSubmission(answer$, state, () => {
      const pending = this.client.pendingCancels.track();
      return (answer, error) => {
        const id = abandonedJobId(call, answer, state);
        if (answer === undefined && state.maybeReceived) this.reportLost(call, state, error);
        if (id) void this.canceller.cancel(id, { tag: call.tag, origin: state.origin });
        pending.unsubscribe();
      };
    });
  }
}

function endedActivity({ status, delayTime: queueTime, executionTime }: TerminalSnapshot) {
  return { type: 'ended', status, queueTime, executionTime } as const;
}

/** The job that an abandoned submission may have started, where it is known and not over. */
function abandonedJobId<T>(call: ApiCall<T>, answer: T | undefined, state: CallState): string | undefined {
  // Without `read`, the answer is a job.
  const job = call.read ? undefined : (answer as JobSnapshot | undefined);
  if (job) return isTerminal(job) ? undefined : job.id;
  // A lost answer to `/retry` still names its job; a lost answer to `/run` does not. A refusal started nothing.
  return state.maybeReceived ? call.jobId : undefined;
}

/** Why a submission's answer was lost: the words of the failure that `SubmissionUnknownError` has as its cause. */
function lossReason(error: unknown): string {
  const { cause = error } = Object(error) as { readonly cause?: unknown };
  return cause instanceof Error ? cause.message : 'no answer came';
}
