import { Subject, first, map, startWith, type Observable, type SchedulerLike, type Unsubscribable } from 'rxjs';
import { AbortedError } from '../errors/AbortedError.js';
import { RunpodError, type ErrorContext } from '../errors/RunpodError.js';
import { SubmissionUnknownError } from '../errors/SubmissionUnknownError.js';
import { invalidRequest } from '../errors/invalidRequest.js';
import { reportUnhandled } from '../errors/reportUnhandled.js';
import { withDetails } from '../errors/withDetails.js';
import { sameJson } from '../protocol/json.js';
import type { ReaderPosition } from '../sources/StreamCursor.js';
import type { StreamEvent } from '../sources/StreamEvent.js';
import type { JobEvent } from '../types/JobEvent.js';
import type { JobRef } from '../types/JobRef.js';
import type { TerminalSnapshot } from '../types/JobSnapshot.js';
import { ActionQueue } from './ActionQueue.js';
import type { CancelOutcome } from './cancelUntilConfirmed.js';
import { checkJobOptions } from './checkJobOptions.js';
import { timeoutOf } from './deadlines.js';
import type { JobBackend, SubmissionCall } from './JobBackend.js';
import type { JobContext } from './JobContext.js';
import {
  effectNames,
  followsEndOnly,
  jobEffects,
  wantedEffects,
  type EffectKey,
  type EffectName,
} from './jobEffects.js';
import type { JobOptions, JobTimeout, LeavePolicy } from './JobOptions.js';
import type { JobOrigin } from './JobOrigin.js';
import { LossNotice } from './LossNotice.js';
import { isAbandoned, shown } from './jobViews.js';
import { isEnded, isOver, isSubmitting, jobReducer, type JobAction, type JobState, type Viewer } from './jobReducer.js';

/**
 * Runs one job: reduces what happens to the job's state, notifies its viewers, and keeps exactly those effects going that
 * the state asks for.
 */
export class JobController implements JobContext {
  readonly backend: JobBackend;
  readonly origin: JobOrigin;
  readonly options: JobOptions<object>;
  readonly timeout: JobTimeout;
  readonly position: ReaderPosition;
  submissionCall: SubmissionCall | undefined;
  readonly #queue: ActionQueue;
  readonly #effects = new Map<EffectName, { readonly key: EffectKey; readonly subscription: Unsubscribable }>();
  readonly #keptChunks: JobEvent[] = [];
  /** When the service answered the submission, in milliseconds since 1970. */
  #submissionDate: number | undefined;
  /** Whether somebody views the job, or something is under way for it. */
  #isFollowed = false;
  #lossNotice: LossNotice | undefined;
  #lastProgress: (JobEvent & { type: 'progress' }) | undefined;
  #state: JobState;
  #changes$: Subject<CancelOutcome | undefined> | undefined;

  /**
   * @param policy - what is done to the job when it is released, unless `onUnsubscribe` says otherwise
   * @param given - the caller's options; with any that is wrong, the views error, and none of them counts
   */
  constructor(backend: JobBackend, origin: JobOrigin, policy: LeavePolicy, given: JobOptions<object>) {
    const { request, ref } = origin;
    const issues = checkJobOptions(origin, given, backend.endpointId);
    const options = issues.length ? {} : given;
    this.backend = backend;
    this.origin = origin;
    this.options = options;
    this.timeout = timeoutOf(options);
    this.#queue = new ActionQueue(
      (action) => {
        this.#handle(action);
      },
      () => backend.trackPendingCancel(),
    );
    this.position = ref ? { chunks: ref.chunks, gap: ref.gap } : { chunks: 0 };
    this.#state = {
      submission: ref?.id === undefined ? 'idle' : 'submitted',
      stream: 'off',
      id: ref?.id,
      startedAt: ref?.submittedAt === undefined || issues.length ? undefined : backend.submittedAt(ref),
      error: issues.length ? invalidRequest(issues, backend.context(request ? 'run' : 'status', ref?.id)) : undefined,
      viewers: [],
      policy: options.onUnsubscribe ?? policy,
    };
  }

  get scheduler(): SchedulerLike {
    return this.backend.scheduler;
  }

  get state(): JobState {
    return this.#state;
  }

  get id(): string {
    return this.#state.id ?? '';
  }

  get ref(): JobRef | undefined {
    const { id } = this.#state;
    if (id === undefined) return undefined;
    const { backend, origin } = this;
    const { chunks = 0 } = this.position;
    return {
      v: 1,
      endpointId: backend.endpointId ?? '',
      id,
      submittedAt: this.#submissionDate ?? backend.submissionDate(id) ?? origin.ref?.submittedAt,
      // `undefined` rather than 0 or `false`, so that JSON leaves it out.
      chunks: chunks || undefined,
      gap: backend.hasGap(id) || undefined,
      tag: backend.tag,
    };
  }

  get isStopping(): boolean {
    return this.#queue.waiting.some(({ type }) => type === 'cancel' || type === 'stop');
  }

  context(operation: string): ErrorContext {
    return this.backend.context(operation, this.#state.id);
  }

  /** The error of a submission that was withdrawn before it was sent. */
  aborted(): AbortedError {
    return new AbortedError({ ...this.context('run'), accepted: 'no' });
  }

  /** Actions are handled one at a time: an action that is dispatched while another is handled waits for its turn. */
  dispatch(action: JobAction): void {
    this.#queue.add(action);
  }

  waitFor<T>(find: (cancelled?: CancelOutcome) => T | undefined): Observable<T> {
    const changes$ = (this.#changes$ ??= new Subject());
    return changes$.pipe(
      startWith(undefined),
      map((cancelled) => find(cancelled)),
      first((found) => found !== undefined),
    );
  }

  #handle(action: JobAction): void {
    const before = this.#state;
    const { submissionCall } = this;
    const maybeReceived = !!submissionCall?.maybeReceived;
    const state = jobReducer(before, action, { now: this.scheduler.now(), maybeReceived });
    this.#state = state;
    if (submissionCall) submissionCall.abandoned = isAbandoned(state);
    if (state.id !== undefined) this.submissionCall = undefined;
    if (state.id !== before.id) this.#submissionDate = this.backend.wallNow();
    try {
      if (action.type === 'failed') this.#noticeLoss(before, action.error);
      if (action.type === 'recordFailed' && !before.viewers.length) reportUnhandled(this.#withRef(action.error));
      if (action.type === 'leave') this.#lossNotice?.onLeave(action.viewer, action.notified);
      this.#notify(before, action);
      if (action.type === 'join') this.#catchUp(before);
      this.#runEffects();
      this.#noticeDetached();
    } catch (error) {
      // A scheduler or a host may throw. The job then fails, and goes on to handle its actions.
      this.#queue.add({ type: 'failed', error });
    }
    // After the effects have started: `diagnosis$` may read the job now, and the views then share that read.
    this.#changes$?.next(action.type === 'cancelSettled' ? action.result : undefined);
  }

  /** Reports a job that goes on, where nobody follows or cancels it any more. */
  #noticeDetached(): void {
    const { viewers, id } = this.#state;
    const isFollowed = viewers.length > 0 || this.#effects.size > 0;
    if (this.#isFollowed && !isFollowed && id !== undefined && !isOver(this.#state)) this.backend.reportDetached(id);
    this.#isFollowed = isFollowed;
  }

  /** Has the report of `settled()` name a submission that may have been accepted, where no view gets the error. */
  #noticeLoss({ viewers }: JobState, error: unknown): void {
    if (!(error instanceof SubmissionUnknownError)) return;
    const report = () => {
      this.backend.reportLost(error);
    };
    this.#lossNotice = new LossNotice(viewers, report, this.backend.trackPendingCancel());
  }

  /** Has a job that is watched for its end read soon, where a view joins that wants to see more of it. */
  #catchUp(before: JobState): void {
    const { timeout, backend } = this;
    if (this.#effects.has('watch') && followsEndOnly(before, timeout) && !followsEndOnly(this.#state, timeout))
      backend.readSoon(this.id);
  }

  /** Reports an action to the viewers that it concerns. */
  #notify(before: JobState, action: JobAction): void {
    const state = this.#state;
    if (action.type === 'join') {
      this.#report(action.viewer, this.#replayed(), state.error);
      return;
    }
    const events = this.#eventsOf(before, action);
    const error = this.#errorOf(before, action);
    const concerned =
      action.type === 'streamFailed' ? before.viewers.filter(({ role }) => role === 'chunk-viewer') : before.viewers;
    for (const viewer of concerned) this.#report(viewer, events, error, action.type === 'detach');
  }

  /** Adds `ended` to the events for a viewer, where they are its last. */
  #report(viewer: Viewer, events: readonly JobEvent[], error: unknown, detached = false): void {
    const state = this.#state;
    const ended = error === undefined && !detached && isEnded(state, viewer.role);
    const snapshot = state.snapshot as TerminalSnapshot;
    viewer.notify({
      events: ended ? [...events, { type: 'ended', snapshot }] : events,
      error,
      complete: ended || detached,
    });
  }

  /** What a viewer that comes late gets: the latest event of each kind, and the chunks that are kept. */
  #replayed(): JobEvent[] {
    const { id, snapshot } = shown(this.#state);
    const events: JobEvent[] = [];
    if (id !== undefined) events.push({ type: 'submitted', id });
    if (snapshot) events.push({ type: 'state', snapshot });
    if (this.#lastProgress) events.push(this.#lastProgress);
    // Not by a spread: a call takes no more than some hundred thousand arguments.
    for (const chunk of this.#keptChunks) events.push(chunk);
    return events;
  }

  /**
   * The events that an action brings: the place where events are made. `#report` adds `ended` for each viewer, and
   * `#replayed` repeats the latest for a viewer that comes late.
   */
  #eventsOf(before: JobState, action: JobAction): JobEvent[] {
    const { id, request, snapshot } = shown(this.#state);
    const last = shown(before);
    const events: JobEvent[] = [];
    if (action.type === 'streamEvent') {
      this.#keepChunk(action.event);
      events.push(action.event);
    }
    if (request && !last.request) events.push({ type: 'submitting', request });
    if (id !== undefined && id !== last.id) events.push({ type: 'submitted', id });
    if (snapshot && snapshot !== last.snapshot) {
      events.push({ type: 'state', snapshot });
      const { progress } = snapshot as { progress?: unknown };
      if (progress !== undefined && !sameJson(progress, this.#lastProgress?.progress)) {
        this.#lastProgress = { type: 'progress', progress };
        events.push(this.#lastProgress);
      }
    }
    return events;
  }

  /** The error that an action brings to the viewers it concerns. */
  #errorOf(before: JobState, action: JobAction): unknown {
    const state = this.#state;
    if (state.error !== before.error) return state.error;
    switch (action.type) {
      case 'readFailed':
      case 'streamFailed':
      case 'recordFailed':
      case 'stop':
        return this.#withRef(action.error);
      default: {
        // An id-viewer waits for an id that will not come.
        const withdrawn = isSubmitting(before) && !isSubmitting(state) && state.id === undefined;
        return withdrawn ? this.aborted() : undefined;
      }
    }
  }

  /** An error of reading, with the reference that `attach` takes. */
  #withRef(error: unknown): unknown {
    return error instanceof RunpodError ? withDetails(error, { ref: this.ref }) : error;
  }

  #keepChunk(event: StreamEvent): void {
    const { replayChunks = 'all' } = this.options;
    this.#keptChunks.push(event);
    if (replayChunks !== 'all' && this.#keptChunks.length > replayChunks) this.#keptChunks.shift();
  }

  /** Ends the effects that the state does not ask for any more, and starts those that it does. */
  #runEffects(): void {
    const { timeout, options } = this;
    const keepsAllChunks = (options.replayChunks ?? 'all') === 'all';
    const wanted = wantedEffects(this.#state, { timeout, keepsAllChunks });
    for (const name of effectNames) {
      const key = wanted[name];
      const running = this.#effects.get(name);
      if ((running?.key ?? false) === key) continue;
      running?.subscription.unsubscribe();
      this.#effects.delete(name);
      // Once another action waits, the state may be out of date: what is still to start is up to that action.
      if (key !== false && this.#queue.isUpToDate)
        this.#effects.set(name, { key, subscription: jobEffects[name].start(this) });
    }
  }
}
