import { Subject, first, map, startWith, type Observable, type SchedulerLike, type Unsubscribable } from 'rxjs';
import { AbortedError } from '../errors/AbortedError.js';
import { RunpodError, type ErrorContext } from '../errors/RunpodError.js';
import { withDetails } from '../errors/withDetails.js';
import { sameJson } from '../protocol/json.js';
import type { ReaderPosition } from '../sources/StreamCursor.js';
import type { CallState } from '../http/CallState.js';
import type { Diagnosis } from '../types/Diagnosis.js';
import type { JobEvent } from '../types/JobEvent.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobOptions, JobTimeout, LeavePolicy } from './JobOptions.js';
import { plan, reduce, type JobAction, type JobState, type JobEffects } from './jobReducer.js';
import type { CancelOutcome } from './cancelUntilConfirmed.js';

/** Where a job comes from: a request to be submitted, or a reference to one that was. */
export interface JobOrigin {
  readonly request?: JobRequest<object>;
  readonly ref?: JobRef;
}

/**
 * Drives one job: reduces what happens to it, tells those who look, and sees to it that what the state asks for goes on,
 * and nothing else. How that is done is its endpoint's business.
 */
export abstract class JobController {
  readonly options: JobOptions<object>;
  readonly timeout: JobTimeout;
  /** Of its submission, until there is an id. */
  protected trace: CallState | undefined;
  /** How far its stream was read, also before. */
  protected readonly place: ReaderPosition;
  readonly #inputs: JobAction[] = [];
  readonly #effects = new Map<keyof JobEffects, readonly [key: unknown, effect: Unsubscribable]>();
  #state: JobState;
  #settled$: Subject<CancelOutcome | undefined> | undefined;
  #progress: (JobEvent & { type: 'progress' }) | undefined;
  #chunks: JobEvent[] = [];

  /** @param refusal - why nothing can be done with the job: what is wrong with its options, or its reference */
  constructor(ref: JobRef | undefined, policy: LeavePolicy, options: JobOptions<object>, refusal: unknown) {
    this.options = options;
    this.timeout = timeoutOf(options);
    this.place = ref ? { chunks: ref.chunks, gap: ref.gap } : { chunks: 0 };
    this.#state = {
      id: ref?.id,
      startedAt: ref?.submittedAt,
      error: refusal,
      viewers: [],
      policy: options.onUnsubscribe ?? policy,
    };
  }

  abstract get scheduler(): SchedulerLike;

  /** What errors say of where they happened. */
  abstract context(operation: string): ErrorContext;

  /** Names the job, once there is an id. */
  abstract get ref(): JobRef | undefined;

  /** Why the job waits, from the moment that it has an id. */
  abstract diagnosis(): Observable<Diagnosis>;

  /** Begins what goes on under a name of the plan: it dispatches what comes of it. */
  protected abstract begin(name: keyof JobEffects): Unsubscribable;

  get state(): JobState {
    return this.#state;
  }

  /** Takes what happens one by one, also what happens because of it. */
  dispatch(input: JobAction): void {
    const inputs = this.#inputs;
    if (inputs.push(input) > 1) return;
    for (let next; (next = inputs[0]); inputs.shift()) {
      const before = this.#state;
      const state = reduce(before, next, this.scheduler.now(), !!this.trace?.maybeReceived);
      this.#state = state;
      // What nobody waits for is read to its end, and not sent again.
      const { viewers, leaving, detached, left } = state;
      if (this.trace) this.trace.abandoned = !!left || (!viewers.length && !leaving && !detached);
      if (state.id !== undefined) this.trace = undefined;
      try {
        this.#tell(before, next);
        this.#act();
      } catch (error) {
        // A scheduler or a host that throws is no reason to be deaf from then on.
        inputs.push({ type: 'failed', error });
      }
    }
    // Else it keeps its room.
    inputs.length = 0;
  }

  /** What is found once something has happened, or is there to be found now. */
  until<T>(find: (settled?: CancelOutcome) => T | undefined): Observable<T> {
    const settled$ = (this.#settled$ ??= new Subject());
    return settled$.pipe(
      startWith(undefined),
      map((settled) => find(settled)),
      first((found) => found !== undefined),
    );
  }

  /** What is said of a submission that was not sent, and never will be. */
  aborted(): AbortedError {
    return new AbortedError({ ...this.context('run'), accepted: 'no' });
  }

  #tell(before: JobState, input: JobAction): void {
    const state = this.#state;
    const { id, snapshot, error, submitting } = state;
    const events: JobEvent[] = [];
    if (input.type === 'join') {
      if (id !== undefined) events.push({ type: 'submitted', id });
      if (snapshot) events.push({ type: 'state', snapshot });
      if (this.#progress) events.push(this.#progress);
      events.push(...this.#chunks);
      input.viewer.tell(events, error);
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
    let why: unknown;
    if (error !== before.error) why = error;
    else if (input.type === 'broken' || input.type === 'chunksBroken' || input.type === 'stop')
      why = this.#referring(input.error);
    // Withdrawn: who still waits for the id waits in vain.
    else if (before.submitting && !submitting && id === undefined) why = this.aborted();
    for (const viewer of before.viewers)
      if (input.type !== 'chunksBroken' || viewer.role === 'reader') viewer.tell(events, why, input.type === 'detach');
    this.#settled$?.next(input.type === 'settled' ? input.settled : undefined);
  }

  /** An error of reading, with what to attach to. */
  #referring(error: unknown): unknown {
    return error instanceof RunpodError ? withDetails(error, { ref: this.ref }) : error;
  }

  #keep(event: JobEvent): JobEvent {
    const { replayChunks = 'all' } = this.options;
    if (event.type !== 'chunk' && event.type !== 'gap') return event;
    this.#chunks.push(event);
    if (this.#chunks.length > (replayChunks === 'all' ? Infinity : replayChunks)) this.#chunks.shift();
    return event;
  }

  /** Begins and ends what the state asks for. */
  #act(): void {
    const wanted = plan(this.#state, this.timeout, (this.options.replayChunks ?? 'all') === 'all');
    for (const name of Object.keys(wanted) as (keyof JobEffects)[]) {
      const key = wanted[name];
      const [going = false, effect] = this.#effects.get(name) ?? [];
      if (going === key) continue;
      effect?.unsubscribe();
      this.#effects.delete(name);
      // What was begun just now may have changed everything.
      if (key !== false && this.#inputs.length < 2) this.#effects.set(name, [key, this.begin(name)]);
    }
  }
}

export function timeoutOf({ timeout }: JobOptions<object>): JobTimeout {
  return typeof timeout === 'object' ? timeout : { total: timeout };
}
