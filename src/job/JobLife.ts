import {
  EMPTY,
  Observable,
  Subject,
  catchError,
  combineLatest,
  concat,
  defer,
  distinctUntilChanged,
  endWith,
  filter,
  first,
  from,
  map,
  merge,
  mergeMap,
  of,
  startWith,
  switchMap,
  take,
  takeUntil,
  takeWhile,
  throwError,
  timer,
  type Subscription,
} from 'rxjs';
import { AbortedError } from '../errors/AbortedError.js';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { JobDeadlineError } from '../errors/JobDeadlineError.js';
import { JobExpiredError } from '../errors/JobExpiredError.js';
import { RunpodError, type ErrorContext } from '../errors/RunpodError.js';
import { saying } from '../errors/saying.js';
import { abortWith } from '../operators/abortWith.js';
import { diagnose } from '../protocol/diagnose.js';
import { sameJson } from '../protocol/json.js';
import { MAX_TIMER } from '../protocol/limits.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { Trace } from '../transport/Trace.js';
import type { Diagnosis } from '../types/Diagnosis.js';
import type { JobEvent } from '../types/JobEvent.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { CompletedSnapshot, JobSnapshot } from '../types/JobSnapshot.js';
import type { JobHost } from './JobHost.js';
import type { JobOptions, JobTimeout, LeavePolicy } from './JobOptions.js';
import { deadlines, plan, reduce, type JobInput, type JobState, type Plan, type Role } from './jobState.js';
import type { Settled } from './settleJob.js';

/** Where a job comes from: a request to be submitted, or a reference to one that was. */
export interface JobOrigin {
  readonly request?: JobRequest<object>;
  readonly ref?: JobRef;
}

/** What those who look at a job are told of at once. */
export interface Change {
  readonly events: readonly JobEvent[];
  /** It was let go of: they look no more. */
  readonly done?: boolean;
  readonly error?: unknown;
  /** Whom it is for: one who has just joined, those who look in a role, or else everybody. */
  readonly viewer?: object;
  readonly role?: Role;
  readonly settled?: Settled;
}

/**
 * Drives one job: reduces what happens to it, tells those who look, and sees to it that what the state asks for goes on,
 * and nothing else.
 */
export class JobLife {
  readonly host: JobHost;
  readonly options: JobOptions<object>;
  readonly #timeout: JobTimeout;
  readonly #origin: JobOrigin;
  readonly #changes$ = new Subject<Change>();
  readonly #inputs: JobInput[] = [];
  readonly #running = new Map<keyof Plan, readonly [key: unknown, Subscription]>();
  #state: JobState;
  #trace: Trace | undefined;
  #progress: (JobEvent & { type: 'progress' }) | undefined;
  #chunks: JobEvent[] = [];
  #delivered: number;

  readonly changes$ = this.#changes$.asObservable();

  constructor(host: JobHost, origin: JobOrigin, policy: LeavePolicy, options: JobOptions<object>) {
    this.host = host;
    this.options = options;
    this.#origin = origin;
    const { timeout } = options;
    this.#timeout = typeof timeout === 'object' ? timeout : { total: timeout };
    this.#delivered = origin.ref?.chunks ?? 0;
    this.#state = {
      id: origin.ref?.id,
      startedAt: origin.ref?.submittedAt,
      error: host.refusal,
      viewers: new Map(),
      policy: options.onUnsubscribe ?? policy,
    };
  }

  get state(): JobState {
    return this.#state;
  }

  context(operation: string): ErrorContext {
    return { ...this.host.context(operation, this.#state.id), tag: this.#tag };
  }

  /** Names the job, once there is an id. */
  get ref(): JobRef | undefined {
    const { id } = this.#state;
    if (id === undefined) return undefined;
    const submittedAt = this.#state.submittedAt ?? this.host.submittedAt(id);
    return {
      v: 1,
      endpointId: this.host.endpointId ?? '',
      id,
      submittedAt,
      chunks: this.#delivered || undefined,
      gap: this.host.gap(id) || undefined,
      tag: this.#tag,
    };
  }

  /** Takes what happens one by one, also what happens because of it. */
  dispatch(input: JobInput): void {
    if (this.#inputs.push(input) > 1) return;
    for (let next; (next = this.#inputs[0]); this.#inputs.shift()) {
      const before = this.#state;
      const state = reduce(before, next, this.host.scheduler.now(), !!this.#trace?.sent);
      this.#state = state;
      // What nobody waits for is read to its end, and not sent again.
      const { viewers, leaving, detached, left } = state;
      if (this.#trace) this.#trace.left = !!left || (!viewers.size && !leaving && !detached);
      try {
        this.#tell(before, next);
        this.#act();
      } catch (error) {
        // A scheduler or a host that throws is no reason to be deaf from then on.
        this.#inputs.push({ type: 'failed', error });
      }
    }
  }

  /** Why the job waits, from the moment that it has an id. */
  diagnosis(): Observable<Diagnosis> {
    const { host } = this;
    return this.changes$.pipe(
      startWith(undefined),
      mergeMap(() => {
        const { id, error } = this.#state;
        if (error !== undefined) return timer(0, host.scheduler).pipe(mergeMap(() => throwError(() => error)));
        return id === undefined ? EMPTY : of(id);
      }),
      take(1),
      switchMap((id) => {
        const facts = {
          submittedAt: this.ref?.submittedAt,
          ttl: host.ttlOf(this.#state.request ?? this.#origin.request),
        };
        return combineLatest([host.watch(id), host.health().pipe(startWith(undefined))]).pipe(
          map(([snapshot, health]) => diagnose(snapshot, health, { ...facts, now: host.scheduler.now() })),
        );
      }),
      distinctUntilChanged<Diagnosis>(sameJson),
      takeWhile(({ reason }) => reason !== 'ended', true),
    );
  }

  /** What is said of a submission that was not sent, and never will be. */
  aborted(): AbortedError {
    return new AbortedError({ ...this.context('run'), accepted: 'no' });
  }

  get #tag(): string | undefined {
    return this.options.tag ?? this.#origin.ref?.tag;
  }

  #tell(before: JobState, input: JobInput): void {
    const state = this.#state;
    const { id, snapshot, error, submitting } = state;
    const tell = (change: Change) => {
      this.#changes$.next(change);
    };
    const events: JobEvent[] = [];
    if (input.type === 'join') {
      const { viewer } = input;
      if (id !== undefined) events.push({ type: 'submitted', id });
      if (snapshot) events.push({ type: 'state', snapshot });
      if (this.#progress) events.push(this.#progress);
      events.push(...this.#chunks);
      tell({ events, error, viewer });
      return;
    }
    if (input.type === 'news') events.push(this.#keep(input.event));
    if (state.request && !before.request) events.push({ type: 'submitting', request: state.request });
    if (id !== undefined && id !== before.id) events.push({ type: 'submitted', id });
    if (snapshot && snapshot !== before.snapshot) {
      events.push({ type: 'state', snapshot });
      const { progress } = snapshot as { progress?: unknown };
      if (progress !== undefined && !sameJson(progress, this.#progress?.progress))
        events.push((this.#progress = { type: 'progress', progress }));
    }
    if (error !== before.error) tell({ events: [], error });
    else if (input.type === 'broken' || input.type === 'stop') tell({ events, error: this.#referring(input.error) });
    else if (input.type === 'detach') tell({ events, done: true });
    // Withdrawn: who still waits for the id waits in vain.
    else if (before.submitting && !submitting && id === undefined) tell({ events, error: this.aborted() });
    else if (input.type === 'chunksBroken') tell({ events, error: this.#referring(input.error), role: 'reader' });
    else tell(input.type === 'settled' ? { events, settled: input.settled } : { events });
  }

  /** An error of reading, with what to attach to. */
  #referring(error: unknown): unknown {
    return error instanceof RunpodError ? saying(error, { ref: this.ref }) : error;
  }

  #keep(event: JobEvent): JobEvent {
    const { replayChunks = 'all' } = this.options;
    if (event.type !== 'chunk' && event.type !== 'gap') return event;
    if (event.type === 'chunk') this.#delivered++;
    this.#chunks.push(event);
    if (this.#chunks.length > (replayChunks === 'all' ? Infinity : replayChunks)) this.#chunks.shift();
    return event;
  }

  /** Begins and ends what the state asks for. */
  #act(): void {
    const wanted = plan(this.#state, this.#timeout, (this.options.replayChunks ?? 'all') === 'all');
    for (const name of Object.keys(wanted) as (keyof Plan)[]) {
      const key = wanted[name];
      const running = this.#running.get(name);
      if (running?.[0] === key || (!running && key === false)) continue;
      running?.[1].unsubscribe();
      this.#running.delete(name);
      // What was begun just now may have changed everything.
      if (key === false || this.#inputs.length > 1) continue;
      const subscription = this.#effect(name).subscribe({
        next: (input) => {
          this.dispatch(input);
        },
        error: (error: unknown) => {
          this.dispatch({ type: 'failed', error });
        },
      });
      this.#running.set(name, [key, subscription]);
    }
  }

  /** What goes on under a name of the plan. */
  #effect(name: keyof Plan): Observable<JobInput> {
    switch (name) {
      case 'listen':
        return this.host.closed$.pipe(
          abortWith(this.#state.stopped ? undefined : this.options.signal, () => {
            const accepted = this.#trace?.sent ? 'unknown' : 'no';
            return { ...this.context('run'), ...(this.#state.id === undefined && { accepted }) };
          }),
          catchError((error: unknown) => of<JobInput>({ type: 'stop', error })),
        );
      case 'prepare': {
        const { options } = this;
        const request = this.#origin.request as JobRequest<object>;
        this.#trace = undefined;
        return defer(() =>
          options.beforeSubmit ? from(options.beforeSubmit(request)).pipe(first(null, undefined)) : of(request),
        ).pipe(
          map((ready: JobRequest<object> | undefined): JobInput => {
            if (ready) return { type: 'ready', request: ready };
            throw new ConfigurationError('beforeSubmit gave no request', { ...this.context('run'), accepted: 'no' });
          }),
          catchError((error: unknown) => of<JobInput>({ type: 'failed', error })),
        );
      }
      case 'submit':
        return this.host
          .submit(this.#state.request as JobRequest<object>, (trace) => (this.#trace = trace))
          .pipe(
            map((snapshot): JobInput => ({ type: 'submitted', snapshot })),
            catchError((error: unknown) => of<JobInput>({ type: 'failed', error })),
          );
      case 'hold':
        return new Observable(() => this.host.hold());
      case 'watch':
        return this.host.watch(this.#id, this.#finished).pipe(
          map((snapshot): JobInput => ({ type: 'answer', snapshot })),
          // Of a job that is gone, or whose output is not what it should be, there is nothing more to read.
          catchError((error: unknown) => {
            return of<JobInput>({ type: isFinal(error) ? 'failed' : 'broken', error });
          }),
        );
      case 'stream':
        return this.host.stream(this.#id, this.#finished).pipe(
          map((event): JobInput => ({ type: 'news', event })),
          endWith<JobInput>({ type: 'streamed' }),
          catchError((error: unknown) => {
            const { snapshot } = Object(error) as { snapshot?: JobSnapshot };
            return from<JobInput[]>(
              // Of a job that is gone, the chunks may be, too.
              snapshot && isTerminal(snapshot) && !(error instanceof JobExpiredError)
                ? [{ type: 'streamed' }, { type: 'answer', snapshot }]
                : [{ type: 'chunksBroken', error }],
            );
          }),
        );
      case 'grace': {
        const { id } = this.#state;
        // What others hear of the job meanwhile counts: one that is over is not cancelled.
        const heard$ = id === undefined ? EMPTY : this.host.heard(id);
        return merge(
          heard$.pipe(map((snapshot): JobInput => ({ type: 'answer', snapshot }))),
          this.#later({ type: 'graceOver' }, this.options.grace),
        );
      }
      case 'cancel': {
        const { snapshot, left } = this.#state;
        return this.host
          .settle(this.#id, snapshot?.status === 'IN_PROGRESS', left !== 'cancel')
          .pipe(
            mergeMap((settled) =>
              from<JobInput[]>([
                { type: 'settled', settled },
                ...(isFinal(settled.error) ? [{ type: 'failed', error: settled.error } as const] : []),
              ]),
            ),
          );
      }
      case 'deadline': {
        const [limit, at] = deadlines(this.#state, this.#timeout).reduce((a, b) => (b[1] < a[1] ? b : a));
        const after = at - this.host.scheduler.now();
        // Beyond what a timer keeps, the service's own limits come first: no job lives so long.
        return after > MAX_TIMER ? EMPTY : this.#later({ type: 'deadline', limit, error: this.#late(limit) }, after);
      }
      case 'expire': {
        const { host } = this;
        const id = this.#id;
        const { passed: limit = 'total', snapshot } = this.#state;
        const lifted = (answer: JobSnapshot): JobInput => ({ type: 'lifted', snapshot: answer });
        const read$ = defer(() => host.status(id)).pipe(
          map(lifted),
          catchError((error: unknown) => (isFinal(error) ? of<JobInput>({ type: 'failed', error }) : EMPTY)),
        );
        const accept = (taken: boolean) =>
          filter((input: JobInput) => {
            if (input.type !== 'lifted') return true;
            // One that a worker has taken meanwhile has waited long enough.
            return taken
              ? isTerminal(input.snapshot) || (limit === 'queue' && input.snapshot.status !== 'IN_QUEUE')
              : isCompleted(input.snapshot);
          });
        const cancel$ = defer(() => host.settle(id, snapshot?.status === 'IN_PROGRESS', false)).pipe(
          map(({ snapshot: last }): JobInput => (isCompleted(last) ? lifted(last) : { type: 'finished' })),
        );
        return concat(read$.pipe(accept(true)), cancel$, read$.pipe(accept(false))).pipe(
          takeWhile(({ type }) => type === 'finished', true),
          takeUntil(timer(this.options.settle ?? 5000, host.scheduler)),
          endWith<JobInput>({ type: 'expired', error: this.#late(limit) }),
        );
      }
    }
  }

  readonly #finished = (): void => {
    this.dispatch({ type: 'finished' });
  };

  /** Of the state that an effect begins in. */
  get #id(): string {
    return this.#state.id ?? '';
  }

  #later(input: JobInput, after = 0): Observable<JobInput> {
    return timer(after, this.host.scheduler).pipe(map(() => input));
  }

  #late(limit: keyof JobTimeout): JobDeadlineError {
    const { id, snapshot } = this.#state;
    return new JobDeadlineError(
      `job ${id ?? '?'} was not over within ${this.#timeout[limit]} ms (option timeout, ${limit})`,
      this.context('run'),
      { limit, by: 'client', snapshot },
    );
  }
}

/** Whether nothing more will be read of the job: it is gone, or its output is not what it should be. */
function isFinal(error: unknown): boolean {
  return error instanceof RunpodError && error.code.startsWith('job_');
}

function isCompleted(snapshot: JobSnapshot | undefined): snapshot is CompletedSnapshot {
  return snapshot?.status === 'COMPLETED';
}
