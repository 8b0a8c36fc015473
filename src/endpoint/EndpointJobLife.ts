import {
  EMPTY,
  NEVER,
  Subscription,
  catchError,
  combineLatest,
  concat,
  concatMap,
  defer,
  distinctUntilChanged,
  endWith,
  filter,
  first,
  map,
  of,
  startWith,
  switchMap,
  takeUntil,
  takeWhile,
  throwError,
  timer,
  type Observable,
  type SchedulerLike,
  type Unsubscribable,
} from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { JobDeadlineError } from '../errors/JobDeadlineError.js';
import { JobExpiredError } from '../errors/JobExpiredError.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import { invalidRequest } from '../errors/invalidRequest.js';
import { JobController, type JobOrigin } from '../job/JobController.js';
import type { JobOptions, JobTimeout, LeavePolicy } from '../job/JobOptions.js';
import { isFinal, nextDeadline, type JobAction, type JobEffects } from '../job/jobReducer.js';
import type { CancelOutcome } from '../job/cancelUntilConfirmed.js';
import { abortWith } from '../operators/abortWith.js';
import { diagnose } from '../protocol/diagnose.js';
import { isRecord, sameJson } from '../protocol/json.js';
import { EXECUTION_TIMEOUT, MAX_TIMER, TTL } from '../protocol/limits.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { CallState } from '../http/CallState.js';
import type { Diagnosis } from '../types/Diagnosis.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { CompletedSnapshot, JobSnapshot } from '../types/JobSnapshot.js';
import type { Closeable } from '../http/ClientContext.js';
import { checkOutput } from './checkOutput.js';
import type { EndpointView } from './EndpointView.js';
import { readHealth } from './readHealth.js';
import { readJob } from './readJob.js';
import { readStream } from './readStream.js';
import { submitJob } from './submitJob.js';
import { watchJob } from './watchJob.js';
import { checkJobOptions } from '../job/checkJobOptions.js';

/** What a job's `ttl` is beyond its `timeout.total`, in milliseconds: time to fetch a result, before the net closes. */
const TTL_MARGIN = 35 * 60_000;

/** The life of a job of an endpoint: what goes on in it are the endpoint's calls. */
export class EndpointJobLife<I extends object, O, C> extends JobController implements Closeable {
  readonly #calls: EndpointView<I, O, C>;
  readonly #origin: JobOrigin;
  readonly #particulars: { readonly tag: string | undefined; readonly ownership: 'job' };

  constructor(calls: EndpointView<I, O, C>, origin: JobOrigin, policy: LeavePolicy, options: JobOptions<object>) {
    const { request, ref } = origin;
    const tag = options.tag ?? ref?.tag;
    const issues = checkJobOptions(origin, options, calls.context.id);
    const where = { operation: request ? 'run' : 'status', jobId: ref?.id, tag };
    super(ref, policy, options, issues.length ? invalidRequest(issues, calls.context.errorContext(where)) : undefined);
    this.#calls = calls;
    this.#origin = origin;
    this.#particulars = { tag, ownership: 'job' };
  }

  get scheduler(): SchedulerLike {
    return this.#calls.context.client.settings.scheduler;
  }

  context(operation: string): ErrorContext {
    return this.#calls.context.errorContext({ operation, jobId: this.state.id, tag: this.#particulars.tag });
  }

  get ref(): JobRef | undefined {
    const { id, submittedAt } = this.state;
    if (id === undefined) return undefined;
    const { id: endpointId = '', jobs } = this.#calls.context;
    const { chunks = 0 } = this.place;
    return {
      v: 1,
      endpointId,
      id,
      submittedAt: submittedAt ?? jobs.get(id)?.submittedAt ?? this.#origin.ref?.submittedAt,
      chunks: chunks || undefined,
      gap: jobs.hasGap(id) || undefined,
      tag: this.#particulars.tag,
    };
  }

  diagnosis(): Observable<Diagnosis> {
    const calls = this.#calls;
    return this.until(() => {
      const { id, error } = this.state;
      // Whatever it is.
      if (error !== undefined) throw error as Error;
      return id;
    }).pipe(
      // Not at once: a bare retry() would call itself for ever.
      catchError((error: unknown) => timer(0, this.scheduler).pipe(switchMap(() => throwError(() => error)))),
      switchMap(() => {
        const { submittedAt } = this.ref ?? {};
        const request = this.state.request ?? this.#origin.request;
        const ttl = request && this.#withPolicy(request).policy?.ttl;
        const health$ = calls.context.health.watch(() => readHealth(calls.context));
        return combineLatest([this.#watch(), health$.pipe(startWith(undefined))]).pipe(
          map(([snapshot, health]) => diagnose(snapshot, health, { submittedAt, ttl, now: this.scheduler.now() })),
        );
      }),
      distinctUntilChanged<Diagnosis>(sameJson),
      takeWhile(({ reason }) => reason !== 'ended', true),
    );
  }

  /** The client is closed. */
  close(error: (context: ErrorContext) => Error): void {
    if (!this.#calls.context.client.closeables.delete(this)) return;
    this.dispatch({ type: 'stop', error: error(this.context(this.#origin.request ? 'run' : 'status')) });
  }

  protected begin(name: keyof JobEffects): Unsubscribable {
    const { options, state, scheduler } = this;
    const { context: endpoint } = this.#calls;
    const finished = () => {
      this.dispatch({ type: 'finished' });
    };
    switch (name) {
      case 'hold':
        return endpoint.client.pendingCancels.track();
      case 'listen':
        return this.#listen(options.signal);
      case 'prepare': {
        const request = this.#origin.request as JobRequest<object>;
        this.trace = undefined;
        return this.#follow(
          defer(() => (options.beforeSubmit ? options.beforeSubmit(request) : of(request))).pipe(
            first(null, undefined),
          ),
          (ready: JobRequest<object> | undefined) => {
            if (ready) return { type: 'ready', request: ready };
            const where = { ...this.context('run'), accepted: 'no' } as const;
            return { type: 'failed', error: new ConfigurationError('beforeSubmit gave no request', where) };
          },
        );
      }
      case 'submit': {
        const request = this.#withPolicy(state.request as JobRequest<object>) as JobRequest<I>;
        const onStart = (trace: CallState) => (this.trace = trace);
        return this.#follow(
          submitJob(this.#calls, {
            operation: 'run',
            request,
            options: this.#call,
            meta: { ...this.#particulars, onStart },
          }),
          (snapshot) => ({ type: 'submitted', snapshot }),
        );
      }
      case 'watch':
        return this.#follow(this.#watch(finished), answer, (error) => ({ type: 'broken', error }));
      case 'stream': {
        const id = this.#id;
        const ended = () => {
          finished();
          endpoint.jobs.refresh(id);
        };
        return this.#follow(
          readStream(this.#calls, {
            id,
            options: this.#call,
            meta: this.#particulars,
            position: this.place,
            onJobOver: ended,
          }).pipe(
            map((event): JobAction => ({ type: 'news', event })),
            endWith<JobAction>({ type: 'streamed' }),
          ),
          (input) => input,
          (error) => {
            const { snapshot } = Object(error) as { snapshot?: JobSnapshot };
            // Of a job that is gone, the chunks may be, too.
            return snapshot && isTerminal(snapshot) && !(error instanceof JobExpiredError)
              ? { type: 'streamed' }
              : { type: 'chunksBroken', error };
          },
        );
      }
      case 'grace': {
        const grace = this.#follow(timer(options.grace ?? 0, scheduler), () => ({ type: 'graceOver' }));
        // What others hear of the job meanwhile counts: one that is over is not cancelled.
        if (state.id !== undefined)
          grace.add(
            this.#follow(
              endpoint.jobs.snapshotsOf(state.id).pipe(checkOutput(this.#calls.context, this.#calls.options.output)),
              answer,
            ),
          );
        return grace;
      }
      case 'cancel':
        return this.#follow(this.#settle(state.left !== 'cancel'), (settled) => ({ type: 'settled', settled }));
      case 'deadline': {
        const [limit, at] = nextDeadline(state, this.timeout);
        const after = at - scheduler.now();
        // Beyond what a timer keeps, the service's own limits come first: no job lives so long.
        return this.#follow(after > MAX_TIMER ? EMPTY : timer(after, scheduler), () => ({
          type: 'deadline',
          limit,
          error: this.#late(limit),
        }));
      }
      case 'expire':
        return this.#follow(this.#expire(state.passed ?? 'total'), (input) => input);
    }
  }

  /** Has what comes of a source happen to the job. */
  #follow<T>(
    source: Observable<T>,
    input: (value: T) => JobAction,
    failure: (error: unknown) => JobAction = (error) => ({ type: 'failed', error }),
  ): Subscription {
    return source.subscribe({
      next: (value) => {
        this.dispatch(input(value));
      },
      error: (error: unknown) => {
        this.dispatch(failure(error));
      },
    });
  }

  #listen(signal: AbortSignal | undefined): Unsubscribable {
    const { closeables } = this.#calls.context.client;
    closeables.add(this);
    const listening = new Subscription(() => closeables.delete(this));
    if (!signal) return listening;
    const aborted = abortWith<never>(signal, () => {
      const accepted = this.trace?.maybeReceived ? 'unknown' : 'no';
      return { ...this.context('run'), accepted: this.state.id === undefined ? accepted : undefined };
    });
    listening.add(
      aborted(NEVER).subscribe({
        error: (error: unknown) => {
          if (!this.state.stopped) this.dispatch({ type: 'stop', error });
        },
      }),
    );
    return listening;
  }

  /** @param finished - called when an answer says that the job is over, before its output is checked */
  #watch(finished?: () => void): Observable<JobSnapshot> {
    this.#calls.context.jobs.restoreSubmittedAt(this.#id, this.#origin.ref?.submittedAt);
    return watchJob(this.#calls.context, { id: this.#id, options: this.#call, meta: this.#particulars }).pipe(
      checkOutput(this.#calls.context, this.#calls.options.output, finished),
    );
  }

  /** Cancels the job until that is settled, whoever listens. */
  #settle(ifQueued: boolean): Observable<CancelOutcome> {
    const { tag } = this.#particulars;
    const urgent = this.state.snapshot?.status === 'IN_PROGRESS';
    return this.#calls.context.cancelAbandoned(this.#id, { tag, urgent, ifQueued }).pipe(
      concatMap((settled) =>
        settled.snapshot
          ? of(settled.snapshot).pipe(
              checkOutput(this.#calls.context, this.#calls.options.output),
              map((snapshot) => ({ ...settled, snapshot })),
              catchError((error: unknown) => of({ outcome: settled.outcome, error })),
            )
          : of(settled),
      ),
    );
  }

  /** Gives the service the last word on a job that has passed a deadline. */
  #expire(limit: keyof JobTimeout): Observable<JobAction> {
    const calls = this.#calls;
    const id = this.#id;
    const lifted = (snapshot: JobSnapshot): JobAction => ({ type: 'lifted', snapshot });
    const read = (counts: (snapshot: JobSnapshot) => boolean) =>
      calls.context.jobs
        .read(id, () => readJob(calls.context, { id, options: this.#call, meta: this.#particulars }))
        .pipe(
          checkOutput(calls.context, calls.options.output),
          filter(counts),
          map(lifted),
          catchError((error: unknown) => (isFinal(error) ? of<JobAction>({ type: 'failed', error }) : EMPTY)),
        );
    return concat(
      // One that a worker has taken meanwhile has waited long enough.
      read((snapshot) => isTerminal(snapshot) || (limit === 'queue' && snapshot.status !== 'IN_QUEUE')),
      defer(() => this.#settle(false)).pipe(
        map(({ snapshot }): JobAction => (isCompleted(snapshot) ? lifted(snapshot) : { type: 'finished' })),
      ),
      read(isCompleted),
    ).pipe(
      takeWhile(({ type }) => type === 'finished', true),
      takeUntil(timer(this.options.settle ?? 5000, this.scheduler)),
      endWith<JobAction>({ type: 'expired', error: this.#late(limit) }),
    );
  }

  /** Of the state that something is begun in. */
  get #id(): string {
    return this.state.id ?? '';
  }

  /** The job sees to its own timeout. */
  get #call() {
    return { ...this.options, timeout: undefined };
  }

  #late(limit: keyof JobTimeout): JobDeadlineError {
    const { id, snapshot } = this.state;
    return new JobDeadlineError(
      `job ${id ?? '?'} was not over within ${this.timeout[limit]} ms (option timeout, ${limit})`,
      this.context('run'),
      { limit, by: 'client', snapshot },
    );
  }

  /** Has the service enforce the job's deadlines, too, where its request does not say otherwise. */
  #withPolicy(request: JobRequest<object>): JobRequest<object> {
    const { total, execution = total } = this.timeout;
    const executionTimeout = within(execution, EXECUTION_TIMEOUT);
    const ttl = within(total === undefined ? undefined : total + TTL_MARGIN, TTL);
    const policy: unknown = request.policy ?? {};
    // One that is no object is refused later, for what it is.
    if ((executionTimeout ?? ttl) === undefined || !isRecord(policy)) return request;
    return {
      ...request,
      policy: {
        ...policy,
        executionTimeout: (policy.executionTimeout as number | undefined) ?? executionTimeout,
        ttl: (policy.ttl as number | undefined) ?? ttl,
      },
    };
  }
}

function answer(snapshot: JobSnapshot): JobAction {
  return { type: 'answer', snapshot };
}

function isCompleted(snapshot: JobSnapshot | undefined): snapshot is CompletedSnapshot {
  return snapshot?.status === 'COMPLETED';
}

function within(value: number | undefined, { min, max }: Readonly<typeof TTL | typeof EXECUTION_TIMEOUT>) {
  return value === undefined ? undefined : Math.min(max, Math.max(min, value));
}
