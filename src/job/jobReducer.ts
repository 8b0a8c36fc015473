/**
 * A job's life as a pure function: the state of a job, what can happen to it, and the state that follows.
 *
 * The stages that a job passes through, and the fields of its state that tell them apart:
 *
 * | Stage | State |
 * | --- | --- |
 * | not begun | `submission: 'idle'`: no view was subscribed to, or the submission was withdrawn before it was sent |
 * | preparing | `submission: 'preparing'`: `beforeSubmit` makes the request |
 * | being sent | `submission: 'submitting'`: the request waits for its turn, or its answer is awaited |
 * | sent and abandoned | `submission: 'submitting'` and `cancelRequested`: the answer is awaited for its id, to cancel the job |
 * | never taken | `submission: 'failed'` and `error`: there is no id, and there will be none |
 * | being recorded | `recording: 'pending'`: there is an id, `afterSubmit` records it, and no view is told of it yet |
 * | not recorded | `recording: 'failed'`: `afterSubmit` has failed; the next view has it called again |
 * | queued, running | `submission: 'submitted'`, and what `snapshot` says |
 * | streaming | `stream: 'wanted'`: a view asked for the job's chunks |
 * | in its grace | `inGrace`: no owning view is subscribed to; the job is released when the grace is over |
 * | being cancelled | `cancelRequested`: until the service confirms the cancel, or the job is known to be over |
 * | detached | `detached`: the views have completed; unsubscribing has no effect on the job any more |
 * | past a deadline | `expiredDeadline`: the service is asked one last time what became of the job |
 * | over for the stream | `finished`, while `snapshot` is not terminal yet: there is nothing to cancel any more |
 * | over | a terminal `snapshot`, or `error` |
 * | completed, not drained | a terminal `snapshot`, and `stream: 'wanted'`: the last chunks are still to come |
 *
 * Whether a job is owned, in its grace, being cancelled and detached are facts of their own, since they overlap: a view
 * can be subscribed to, and unsubscribed from again, while a cancel is still to be confirmed or after the job was
 * detached.
 */
import { JobOutputError } from '../errors/JobOutputError.js';
import { RunpodError } from '../errors/RunpodError.js';
import { sameJson } from '../protocol/json.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { StreamEvent } from '../sources/StreamEvent.js';
import type { JobEvent } from '../types/JobEvent.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { CancelOutcome } from './cancelUntilConfirmed.js';
import type { JobTimeout, LeavePolicy } from './JobOptions.js';

/**
 * What a subscriber wants of a job: what becomes of it, its chunks as well, only how it ends, or only its id. All but an
 * `id-viewer` own the job.
 */
export type ViewerRole = 'viewer' | 'chunk-viewer' | 'end-viewer' | 'id-viewer';

/** What is reported to a viewer at once: the events, in order, then an error or the completion, if either is given. */
export interface Notice {
  readonly events: readonly JobEvent[];
  /** Ends the view; nothing more is reported to it. */
  readonly error?: unknown;
  /** Whether the view completes after the events. Has no effect beside `error`. */
  readonly complete?: boolean;
}

/** A subscriber of one of the job's views. */
export interface Viewer {
  readonly role: ViewerRole;
  notify(notice: Notice): void;
}

/** How far the job's submission has come. It is `submitted` from the moment that the job has an id. */
export type Submission = 'idle' | 'preparing' | 'submitting' | 'submitted' | 'failed';

/** Whether the job's chunks are to be read: nobody asked for them, somebody did, or all of them have come. */
export type StreamStage = 'off' | 'wanted' | 'drained';

/** All that is known of a job, and its viewers. */
export interface JobState {
  readonly submission: Submission;
  /** Given exactly while `submission` is `submitted`. */
  readonly id?: string | undefined;
  /** What is to be submitted, once it is prepared. */
  readonly request?: JobRequest<object> | undefined;
  readonly snapshot?: JobSnapshot;
  /** Whether `afterSubmit` is still to record the job, or has failed to. No view is told of the job until it is recorded. */
  readonly recording?: 'pending' | 'failed' | undefined;
  /** Why nothing more will come, where no snapshot says it. */
  readonly error?: unknown;
  /** When the job was first subscribed to, or when its reference says that it was submitted. */
  readonly startedAt?: number | undefined;
  /** When this client first subscribed to the job. */
  readonly joinedAt?: number;
  /** When a worker was first seen to run the job. */
  readonly runningAt?: number | undefined;
  /** The subscribers that have not been told an end, in the order in which they came. */
  readonly viewers: readonly Viewer[];
  /** Whether an owning view was subscribed to since the job was last released. */
  readonly owned?: boolean;
  /** Whether no owning view is subscribed to any more, and the job is about to be released for that. */
  readonly inGrace?: boolean;
  /** What is done to the job on the server when it is released. */
  readonly policy: LeavePolicy;
  /** Whether `detach()` was called. */
  readonly detached?: boolean;
  /** Whether the signal was aborted or the client closed. The signal is not listened to again after that. */
  readonly stopped?: boolean;
  /** The job is to be cancelled on the server in this way. */
  readonly cancelRequested?: Exclude<LeavePolicy, 'detach'> | undefined;
  /** Whether the service is known to be done with the job, so that there is nothing to cancel. */
  readonly finished?: boolean;
  readonly stream: StreamStage;
  /** The deadline that has passed, while the service is asked one last time what became of the job. */
  readonly expiredDeadline?: keyof JobTimeout | undefined;
}

/** What can happen to a job. `error` is what is reported to its viewers. */
export type JobAction =
  | { readonly type: 'join'; readonly viewer: Viewer }
  // `notified`: the view has ended by itself, so this is no unsubscribing.
  | { readonly type: 'leave'; readonly viewer: Viewer; readonly notified: boolean }
  // The request is prepared.
  | { readonly type: 'ready'; readonly request: JobRequest<object> }
  // `unrecorded`: `afterSubmit` is still to record the job.
  | { readonly type: 'submitted'; readonly snapshot: JobSnapshot; readonly unrecorded?: boolean }
  | { readonly type: 'answer'; readonly snapshot: JobSnapshot }
  // `afterSubmit` has recorded the job, or has failed to.
  | { readonly type: 'recorded' }
  | { readonly type: 'recordFailed'; readonly error: unknown }
  // The last answer after a deadline shows that the deadline was kept.
  | { readonly type: 'deadlineCleared'; readonly snapshot: JobSnapshot }
  // Final: the submission failed, or nothing more can be read of the job.
  | { readonly type: 'failed'; readonly error: unknown }
  // Not final, unless the error says so: the next subscription reads again.
  | { readonly type: 'readFailed' | 'streamFailed'; readonly error: unknown }
  // `finished`: the service says that the job is over, and its snapshot may still be on its way.
  | { readonly type: 'graceOver' | 'finished' | 'drained' | 'detach' }
  // `stop`: the signal was aborted, or the client was closed.
  | { readonly type: 'cancel' | 'stop'; readonly error: unknown }
  | { readonly type: 'deadline'; readonly limit: keyof JobTimeout; readonly error: unknown }
  // A deadline has passed, the service was asked one last time, and the job was not over.
  | { readonly type: 'expired'; readonly error: unknown }
  | { readonly type: 'cancelSettled'; readonly result: CancelOutcome }
  // Passed on to the viewers; the state stays as it is.
  | { readonly type: 'streamEvent'; readonly event: StreamEvent };

/** What the next state depends on beside the state and the action. */
export interface ReducerFacts {
  /** The time on the scheduler's clock, by which durations are measured. */
  readonly now: number;
  /** Whether the server may have received the submission. */
  readonly maybeReceived: boolean;
}

/** Whether nothing can change any more. */
export function isOver({ error, snapshot }: Pick<JobState, 'error' | 'snapshot'>): boolean {
  return error !== undefined || (!!snapshot && isTerminal(snapshot));
}

/** Whether an error of reading is the job's end: the job is gone, or its output does not match its schema. */
export function isFinal(error: unknown): boolean {
  return error instanceof RunpodError && error.code.startsWith('job_');
}

/** Whether everything was reported that there is for a role: a `chunk-viewer` also waits for the last chunks. */
export function isEnded(state: JobState, role: ViewerRole): boolean {
  return isOver(state) && !state.recording && (role !== 'chunk-viewer' || state.stream === 'drained');
}

/** Whether the job is being submitted: its request is prepared, waits for its turn, or is on its way. */
export function isSubmitting({ submission }: JobState): boolean {
  return submission === 'preparing' || submission === 'submitting';
}

/** Whether a view is subscribed to that owns the job. */
export function hasOwner({ viewers }: JobState): boolean {
  return viewers.some(({ role }) => role !== 'id-viewer');
}

/** Whether the views that own the job want nothing but its end. */
export function isEndOnly({ viewers }: JobState): boolean {
  return viewers.every(({ role }) => role === 'end-viewer' || role === 'id-viewer');
}

/** The next state of a job. */
export function jobReducer(state: JobState, action: JobAction, facts: ReducerFacts): JobState {
  const { now } = facts;
  switch (action.type) {
    case 'join':
      return joined(state, action.viewer, now);
    case 'leave':
      return unsubscribed(state, action.viewer, action.notified);
    case 'ready':
      return state.submission === 'preparing' ? { ...state, submission: 'submitting', request: action.request } : state;
    case 'submitted': {
      const { snapshot } = action;
      const cancelRequested = isTerminal(snapshot) ? undefined : state.cancelRequested;
      const recording = action.unrecorded ? 'pending' : undefined;
      const submitted = { ...state, submission: 'submitted', id: snapshot.id, recording } as const;
      return answered({ ...submitted, cancelRequested }, snapshot, now);
    }
    case 'recorded':
      return { ...state, recording: undefined };
    // After `recordFailed` and `readFailed`, a grace goes on: views that have left before still have the job released.
    case 'recordFailed':
      return { ...state, viewers: [], recording: 'failed' };
    case 'answer':
      return answered(state, action.snapshot, now);
    case 'deadlineCleared':
      return answered({ ...state, expiredDeadline: undefined }, action.snapshot, now);
    case 'failed':
      return failed(state, action.error);
    case 'readFailed':
      return isFinal(action.error) ? failed(state, action.error) : { ...state, viewers: [] };
    case 'streamFailed':
      return {
        ...state,
        stream: state.stream === 'wanted' ? 'off' : state.stream,
        viewers: state.viewers.filter(({ role }) => role !== 'chunk-viewer'),
      };
    case 'finished':
      return { ...state, finished: true };
    case 'drained':
      return { ...state, finished: true, stream: 'drained' };
    case 'graceOver':
      return released(state, facts);
    case 'detach':
      return { ...withoutViewers(state), policy: 'detach', detached: true };
    case 'stop': {
      const stopped = { ...state, stopped: true };
      if (isOver(state)) return withoutViewers(stopped);
      return isUnsent(state, facts) ? failed(stopped, action.error) : released(withoutViewers(stopped), facts);
    }
    case 'cancel':
      if (isOver(state)) return state;
      if (isUnsent(state, facts)) return failed(state, action.error);
      // A job that is over by its stream is only read: `cancel-if-queued` cancels no job that is over.
      return { ...state, inGrace: false, cancelRequested: state.finished ? 'cancel-if-queued' : 'cancel' };
    case 'deadline':
      if (isOver(state)) return state;
      if (isUnsent(state, facts)) return failed(state, action.error);
      return state.id === undefined
        ? { ...withoutViewers(state), cancelRequested: 'cancel', error: action.error }
        : { ...state, expiredDeadline: action.limit };
    case 'expired':
      if (isOver(state) || !state.expiredDeadline) return state;
      return {
        ...withoutViewers(state),
        error: action.error,
        cancelRequested: state.finished ? undefined : 'cancel',
      };
    case 'cancelSettled': {
      const { snapshot, error } = action.result;
      const next = answered({ ...state, cancelRequested: undefined }, snapshot, now);
      // An output that does not match its schema ends the job. A cancel that was answered 404 does not: a read may still
      // find the job.
      return error instanceof JobOutputError ? failed(next, error) : next;
    }
    case 'streamEvent':
      return state;
  }
}

function joined(state: JobState, viewer: Viewer, now: number): JobState {
  const { role } = viewer;
  if (state.error !== undefined || isEnded(state, role)) return state;
  const owns = role !== 'id-viewer';
  return {
    ...state,
    submission: state.submission === 'idle' ? 'preparing' : state.submission,
    stream: state.stream === 'off' && role === 'chunk-viewer' ? 'wanted' : state.stream,
    recording: state.recording && 'pending',
    viewers: [...state.viewers, viewer],
    owned: !!state.owned || owns,
    inGrace: !!state.inGrace && !owns,
    startedAt: state.startedAt ?? now,
    joinedAt: state.joinedAt ?? now,
  };
}

function unsubscribed(state: JobState, viewer: Viewer, notified: boolean): JobState {
  if (notified && !state.viewers.includes(viewer)) return state;
  const next = { ...state, viewers: state.viewers.filter((other) => other !== viewer) };
  // An id-viewer does not own the job. But the last one, before there is an id, would leave a job that nobody knows of.
  const releases =
    viewer.role !== 'id-viewer' || !!state.inGrace || (state.id === undefined && next.viewers.length === 0);
  const atRisk = (state.id !== undefined || isSubmitting(state)) && !isOver(state) && !state.finished;
  return { ...next, inGrace: releases && atRisk && !hasOwner(next) };
}

/** No viewer is left: all of them were told an error, or their completion. */
function withoutViewers(state: JobState): JobState {
  return { ...state, viewers: [], inGrace: false };
}

/** Nothing more will come. A job that is over already keeps its end. */
function failed(state: JobState, error: unknown): JobState {
  if (isOver(state)) return submissionEnded(state);
  const next = { ...submissionEnded(withoutViewers(state)), error };
  // Foreign code may fail with `undefined`, which no later view could be told: that view submits anew.
  return error === undefined && next.submission === 'failed'
    ? { ...next, submission: 'idle', request: undefined }
    : next;
}

/** The submission is over. Where it gave no id, there is nothing to cancel. */
function submissionEnded(state: JobState): JobState {
  return state.id === undefined ? { ...state, submission: 'failed', cancelRequested: undefined } : state;
}

/** Whether the service cannot have the job yet. */
function isUnsent(state: JobState, { maybeReceived }: ReducerFacts): boolean {
  return state.id === undefined && !(maybeReceived && isSubmitting(state));
}

/**
 * The job's last owner is gone, for longer than its grace. A submission that was not sent is withdrawn, unless the job
 * was detached; a job on the server is cancelled, unless its policy is to let it run.
 */
function released(state: JobState, { maybeReceived }: ReducerFacts): JobState {
  const { policy, detached, finished } = state;
  if (isSubmitting(state) && !maybeReceived && !detached)
    return { ...withoutViewers(state), submission: 'idle', request: undefined };
  return {
    ...state,
    inGrace: false,
    owned: false,
    cancelRequested: state.cancelRequested ?? (policy === 'detach' || finished ? undefined : policy),
  };
}

/** Takes an answer of the service. Terminal is final, whatever a late answer says. */
function answered(state: JobState, snapshot: JobSnapshot | undefined, now: number): JobState {
  if (!snapshot) return state;
  const { snapshot: last } = state;
  const finished = !!state.finished || isTerminal(snapshot);
  if (isOver(state) || (last && sameJson(last.raw, snapshot.raw))) return { ...state, finished };
  const runningAt = state.runningAt ?? (snapshot.status === 'IN_PROGRESS' ? now : undefined);
  return { ...state, snapshot, runningAt, finished };
}
