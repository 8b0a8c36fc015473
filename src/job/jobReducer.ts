import { JobOutputError } from '../errors/JobOutputError.js';
import { RunpodError } from '../errors/RunpodError.js';
import { sameJson } from '../protocol/json.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobEvent } from '../types/JobEvent.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { CancelOutcome } from './cancelUntilConfirmed.js';
import type { JobTimeout, LeavePolicy } from './JobOptions.js';

/** How long after `timeout.execution` the client steps in, in milliseconds: the service's own kill comes 3–12 s late. */
const KILL_MARGIN = 15_000;

/** How somebody looks at a job: as an owner, as an owner who wants its chunks, too, or only for its id. */
export type ViewerRole = 'owner' | 'reader' | 'starter';

/** One who looks at a job. */
export interface Viewer {
  readonly role: ViewerRole;
  /**
   * Hears what happened.
   *
   * @param error - why it hears nothing more
   * @param done - the job was let go of: it hears nothing more
   */
  tell(events: readonly JobEvent[], error?: unknown, done?: boolean): void;
}

/** All that is known of a job, and who looks at it. */
export interface JobState {
  readonly id?: string | undefined;
  readonly snapshot?: JobSnapshot;
  /** Why nothing more will come, where no snapshot says it. */
  readonly error?: unknown;
  /** The submission is prepared, waits, or is on its way. */
  readonly submitting?: boolean;
  /** What is to be submitted, once it is prepared. */
  readonly request?: JobRequest<object> | undefined;
  /** When it was first asked for, when the service took it, and when a worker was first seen to run it. */
  readonly startedAt?: number | undefined;
  /** When this client first looked at it. */
  readonly joinedAt?: number;
  readonly submittedAt?: number;
  readonly runningAt?: number | undefined;
  /** Who looks, and whether it was owned, and not left since. */
  readonly viewers: readonly Viewer[];
  readonly owned?: boolean;
  /** What leaving does to it; whether it was let go of for good. */
  readonly policy: LeavePolicy;
  readonly detached?: boolean;
  /** Its signal, or the client's closing, was heard: once is enough. */
  readonly stopped?: boolean;
  /** Nobody owns it, and its grace runs. */
  readonly leaving?: boolean;
  /** It was left, and is to be cancelled in this way. */
  readonly left?: Exclude<LeavePolicy, 'detach'> | undefined;
  /** The service is known to be done with it: there is nothing to cancel. */
  readonly finished?: boolean;
  /** Somebody asked for chunks; all of them have come. */
  readonly streaming?: boolean;
  readonly streamed?: boolean;
  /** The deadline that has passed, while the service is asked for its last word. */
  readonly passed?: keyof JobTimeout | undefined;
}

/** What can happen to a job. `error` is what is said to those who look. */
export type JobAction =
  | { readonly type: 'join'; readonly viewer: Viewer }
  // `told`: it was told the end, or an error, and does not leave by itself.
  | { readonly type: 'leave'; readonly viewer: Viewer; readonly told: boolean }
  | { readonly type: 'ready'; readonly request: JobRequest<object> }
  // `lifted`: it has passed a deadline, and the answer says that it does not count.
  | { readonly type: 'submitted' | 'answer' | 'lifted'; readonly snapshot: JobSnapshot }
  // The submission failed: final.
  | { readonly type: 'failed'; readonly error: unknown }
  // A read failed; the next subscription tries again, unless that is final.
  | { readonly type: 'broken' | 'chunksBroken'; readonly error: unknown }
  | { readonly type: 'graceOver' | 'finished' | 'streamed' | 'detach' }
  | { readonly type: 'cancel' | 'stop'; readonly error: unknown }
  | { readonly type: 'deadline'; readonly limit: keyof JobTimeout; readonly error: unknown }
  // The service had its last word after a deadline, and the job was not over.
  | { readonly type: 'expired'; readonly error: unknown }
  | { readonly type: 'settled'; readonly settled: CancelOutcome }
  // Passed on to those who look.
  | { readonly type: 'news'; readonly event: JobEvent };

/**
 * What goes on because of a state: each is begun when its value appears or changes, and ended when it is gone. They are
 * begun in this order.
 */
export interface JobEffects {
  /** Have `settled()` wait: something is on its way, or to be cancelled. */
  readonly hold: boolean;
  /** Listen to the client's closing and the job's signal. */
  readonly listen: boolean;
  readonly prepare: boolean;
  readonly submit: boolean;
  readonly watch: boolean;
  readonly stream: boolean;
  readonly grace: boolean;
  /** Cancel the job on the server, in this way, until it is settled. */
  readonly cancel: JobState['left'] | false;
  /** Wait for the next deadline, at this moment. */
  readonly deadline: number | false;
  /** Give the service the last word, then end. */
  readonly expire: boolean;
}

/** Whether nothing can change any more. */
export function isOver({ error, snapshot }: JobState): boolean {
  return error !== undefined || (!!snapshot && isTerminal(snapshot));
}

/** Whether nothing more will be read of a job: it is gone, or its output is not what it should be. */
export function isFinal(error: unknown): boolean {
  return error instanceof RunpodError && error.code.startsWith('job_');
}

/** Whether one who looks in a role was told everything. */
export function isEnded(state: JobState, role: ViewerRole): boolean {
  return isOver(state) && (role !== 'reader' || !!state.streamed);
}

/**
 * The next state of a job.
 *
 * @param now - `scheduler.now()`
 * @param sent - whether the server may have the submission
 */
export function reduce(state: JobState, input: JobAction, now: number, sent: boolean): JobState {
  switch (input.type) {
    case 'join': {
      const { viewer } = input;
      const { role } = viewer;
      const starter = role === 'starter';
      if (state.error !== undefined || isEnded(state, role)) return state;
      return {
        ...state,
        streaming: !!state.streaming || role === 'reader',
        viewers: [...state.viewers, viewer],
        owned: !!state.owned || !starter,
        // Who only asks for the id does not keep the job from being left.
        leaving: !!state.leaving && starter,
        submitting: state.id === undefined,
        startedAt: state.startedAt ?? now,
        joinedAt: state.joinedAt ?? now,
      };
    }
    case 'leave': {
      const { viewer, told } = input;
      if (told && !state.viewers.includes(viewer)) return state;
      const next = { ...state, viewers: state.viewers.filter((one) => one !== viewer) };
      // Who asks for the id does not own the job, but may be the only one who will ever know it.
      const leaves = viewer.role !== 'starter' || !!state.leaving || (state.id === undefined && !next.viewers.length);
      const live = (state.id !== undefined || !!state.submitting) && !isOver(state) && !state.finished;
      return { ...next, leaving: leaves && live && !hasOwner(next) };
    }
    case 'ready':
      return state.submitting ? { ...state, request: input.request } : state;
    case 'graceOver':
      return depart(state, sent);
    case 'stop':
      if (isOver(state)) return { ...nobody(state), stopped: true };
      return { ...(unsent(state, sent) ? failed(state, input.error) : depart(nobody(state), sent)), stopped: true };
    case 'submitted': {
      const { snapshot } = input;
      const left = isTerminal(snapshot) ? undefined : state.left;
      return answered({ ...state, id: snapshot.id, submittedAt: now, submitting: false, left }, snapshot, now);
    }
    case 'answer':
      return answered(state, input.snapshot, now);
    case 'lifted':
      return answered({ ...state, passed: undefined }, input.snapshot, now);
    case 'failed':
      return failed(state, input.error);
    case 'broken':
      return isFinal(input.error) ? failed(state, input.error) : nobody(state);
    case 'chunksBroken':
      return { ...state, streaming: false, viewers: state.viewers.filter(({ role }) => role !== 'reader') };
    case 'finished':
      return { ...state, finished: true };
    case 'streamed':
      return { ...state, finished: true, streamed: true };
    case 'cancel':
      if (isOver(state)) return state;
      if (unsent(state, sent)) return failed(state, input.error);
      // Where the stream said that it is over, the job is read rather than cancelled, to have an answer.
      return { ...state, leaving: false, left: state.finished ? 'cancel-if-queued' : 'cancel' };
    case 'detach':
      return { ...nobody(state), policy: 'detach', detached: true };
    case 'deadline':
      if (isOver(state)) return state;
      if (unsent(state, sent)) return failed(state, input.error);
      return state.id === undefined
        ? { ...nobody(state), left: 'cancel', error: input.error }
        : { ...state, passed: input.limit };
    case 'expired':
      if (isOver(state) || !state.passed) return state;
      return { ...nobody(state), error: input.error, left: state.finished ? undefined : 'cancel' };
    case 'settled': {
      const { snapshot, error } = input.settled;
      const next = answered({ ...state, left: undefined }, snapshot, now);
      // It has completed, if not as it should. One that is gone for a cancel may be there to be read all the same.
      return error instanceof JobOutputError ? failed(next, error) : next;
    }
    case 'news':
      return state;
  }
}

/**
 * What is to go on in a state.
 *
 * @param keepsAll - whether all chunks are kept, so that the stream can be read on for those who come back to it
 */
export function plan(state: JobState, timeout: JobTimeout, keepsAll: boolean): JobEffects {
  const { id, viewers, policy, left, passed, submitting = false, leaving = false } = state;
  const over = isOver(state);
  const live = id !== undefined && !over;
  const owned = hasOwner(state);
  const read = viewers.some(({ role }) => role === 'reader') || (owned && !!state.streaming && keepsAll);
  const unwatched = submitting && !viewers.length;
  const [, deadline] = nextDeadline(state, timeout);
  const atStake = live && !!state.owned && policy !== 'detach' && !state.finished;
  return {
    hold: unwatched || !!left || (leaving && policy !== 'detach') || (live && !!passed),
    listen: viewers.length > 0 || leaving || submitting || atStake,
    prepare: submitting && !state.request,
    submit: submitting && !!state.request,
    watch: live && owned && !passed,
    stream: id !== undefined && read && !state.streamed && state.error === undefined,
    grace: leaving,
    cancel: id !== undefined && (left ?? false),
    deadline: owned && !over && !passed && deadline < Infinity && deadline,
    expire: live && !!passed,
  };
}

/** The deadline that comes first, and when: it is still ahead, or passed and not acted upon. */
export function nextDeadline(state: JobState, timeout: JobTimeout): readonly [keyof JobTimeout, number] {
  const { startedAt = Infinity, joinedAt = Infinity, runningAt = Infinity, snapshot } = state;
  const { queue = Infinity, execution = Infinity, total = Infinity } = timeout;
  const queued = !snapshot || snapshot.status === 'IN_QUEUE';
  const all = [
    ['total', startedAt + total],
    ['queue', queued ? joinedAt + queue : Infinity],
    ['execution', runningAt + execution + KILL_MARGIN],
  ] as const;
  return all.reduce((a, b) => (b[1] < a[1] ? b : a));
}

function hasOwner({ viewers }: JobState): boolean {
  return viewers.some(({ role }) => role !== 'starter');
}

/** Everybody is told the end, or an error, and looks no more. */
function nobody(state: JobState): JobState {
  return { ...state, viewers: [], leaving: false };
}

/** Nothing more will come, unless it is over already. */
function failed(state: JobState, error: unknown): JobState {
  return isOver(state) ? submitted(state) : { ...submitted(nobody(state)), error };
}

/** The submission is over. Where it gave no id, there is nothing to cancel. */
function submitted(state: JobState): JobState {
  return { ...state, submitting: false, left: state.id === undefined ? undefined : state.left };
}

/** Whether the service cannot have the job yet. */
function unsent({ id, submitting }: JobState, sent: boolean): boolean {
  return id === undefined && !(submitting && sent);
}

/** The job is left. What was not sent never is, unless it was let go of. */
function depart(state: JobState, sent: boolean): JobState {
  const { policy, submitting, detached, finished } = state;
  if (submitting && !sent && !detached) return { ...nobody(state), submitting: false, request: undefined };
  return {
    ...state,
    leaving: false,
    owned: false,
    left: state.left ?? (policy === 'detach' || finished ? undefined : policy),
  };
}

/** Terminal is final, whatever a late answer says. */
function answered(state: JobState, snapshot: JobSnapshot | undefined, now: number): JobState {
  if (!snapshot) return state;
  const { snapshot: last } = state;
  const finished = !!state.finished || isTerminal(snapshot);
  if (isOver(state) || (last && sameJson(last.raw, snapshot.raw))) return { ...state, finished };
  const runningAt = state.runningAt ?? (snapshot.status === 'IN_PROGRESS' ? now : undefined);
  return { ...state, snapshot, runningAt, finished };
}
