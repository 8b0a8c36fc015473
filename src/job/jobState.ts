import { sameJson } from '../protocol/json.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobEvent } from '../types/JobEvent.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Settled } from './settleJob.js';
import type { JobTimeout, LeavePolicy } from './JobOptions.js';

/** How long after `timeout.execution` the client steps in, in milliseconds: the service's own kill comes 3–12 s late. */
const KILL_MARGIN = 15_000;

/** How somebody looks at a job: as an owner, as an owner who wants its chunks, too, or only for its id. */
export type Role = 'owner' | 'reader' | 'starter';

/** All that is known of a job, and who looks at it. */
export interface JobState {
  readonly id?: string | undefined;
  readonly snapshot?: JobSnapshot;
  /** Why nothing more will come, where no snapshot says it. */
  readonly error?: unknown;
  /** The submission is prepared, waits, or is on its way. */
  readonly submitting?: boolean;
  /** When it was first asked for, and when a worker was first seen to run it. */
  readonly startedAt?: number | undefined;
  readonly runningAt?: number | undefined;
  /** Who looks. */
  readonly viewers: ReadonlyMap<object, Role>;
  /** Nobody owns it, and its grace runs. */
  readonly leaving?: boolean;
  /** It was left, and the policy is to be carried out. */
  readonly left?: boolean;
  readonly policy: LeavePolicy;
  /** The service is known to be done with it: nothing is left to cancel. */
  readonly finished?: boolean;
  /** Somebody asked for chunks; all of them have come. */
  readonly streaming?: boolean;
  readonly streamed?: boolean;
  /** The deadline that has passed. */
  readonly passed?: keyof JobTimeout;
}

/** What can happen to a job. `error` is what is said to those who look. */
export type JobInput =
  | { readonly type: 'join'; readonly viewer: object; readonly role: Role }
  | { readonly type: 'leave'; readonly viewer: object }
  | { readonly type: 'submitted' | 'answer'; readonly snapshot: JobSnapshot }
  // The submission failed, or the job will never be read again: final.
  | { readonly type: 'failed'; readonly error: unknown }
  // A read failed; the next subscription tries again.
  | { readonly type: 'broken' | 'chunksBroken'; readonly error: unknown }
  | { readonly type: 'graceOver' | 'finished' | 'streamed' | 'detach' }
  | { readonly type: 'cancel' | 'stop'; readonly error: unknown }
  | { readonly type: 'deadline'; readonly limit: keyof JobTimeout; readonly error: unknown }
  // The service had its last word, and the job was not over.
  | { readonly type: 'expired'; readonly error: unknown }
  | { readonly type: 'settled'; readonly settled: Settled }
  // Passed on to those who look.
  | { readonly type: 'news'; readonly event: JobEvent };

/** What goes on because of a state: each is begun when its value appears or changes, and ended when it is gone. */
export interface Plan {
  /** Submit the job. */
  readonly submit: boolean;
  /** Have `settled()` wait for the answer to a submission that was left. */
  readonly hold: boolean;
  /** Listen to the client's closing and the job's signal. */
  readonly listen: boolean;
  readonly watch: boolean;
  readonly stream: boolean;
  readonly grace: boolean;
  /** Cancel the job on the server, until it is settled. */
  readonly cancel: boolean;
  /** Wait for the next deadline, at this moment. */
  readonly deadline: number | false;
  /** Give the service the last word, then end. */
  readonly expire: boolean;
}

/** Whether nothing can change any more. */
export function isOver({ error, snapshot }: JobState): boolean {
  return error !== undefined || (!!snapshot && isTerminal(snapshot));
}

/** Whether all was said, to those who want the chunks, too. */
export function isEnded(state: JobState): boolean {
  return isOver(state) && (!state.streaming || !!state.streamed);
}

/**
 * The next state of a job.
 *
 * @param now - `scheduler.now()`
 * @param sent - whether the server may have the submission
 */
export function reduce(state: JobState, input: JobInput, now: number, sent: boolean): JobState {
  switch (input.type) {
    case 'join':
      return {
        ...state,
        viewers: new Map(state.viewers).set(input.viewer, input.role),
        // Who only asks for the id does not keep the job from being left.
        leaving: state.leaving && input.role === 'starter',
        streaming: !!state.streaming || input.role === 'reader',
        submitting: !!state.submitting || (state.id === undefined && !isOver(state)),
        startedAt: state.startedAt ?? now,
      };
    case 'leave': {
      const role = state.viewers.get(input.viewer);
      if (!role) return state;
      const next = { ...state, viewers: new Map([...state.viewers].filter(([viewer]) => viewer !== input.viewer)) };
      // Who asks for the id does not own the job, but may be the only one who will ever know it.
      const leaves = role !== 'starter' || !!state.leaving || (state.id === undefined && !next.viewers.size);
      return { ...next, leaving: leaves && !isOwned(next) && !isOver(state) && !state.finished };
    }
    case 'graceOver':
      return depart(state, sent);
    case 'stop':
      return unsent(state, sent)
        ? { ...nobody(state), submitting: false, error: input.error }
        : depart(nobody(state), sent);
    case 'submitted':
      return answered({ ...state, id: input.snapshot.id, submitting: false }, input.snapshot, now);
    case 'answer':
      return answered(state, input.snapshot, now);
    case 'failed':
      return isOver(state)
        ? { ...state, submitting: false }
        : { ...nobody(state), submitting: false, error: input.error };
    case 'broken':
      return nobody(state);
    case 'chunksBroken':
      return {
        ...state,
        streaming: false,
        viewers: new Map([...state.viewers].filter(([, role]) => role !== 'reader')),
      };
    case 'finished':
      return { ...state, finished: true };
    case 'streamed':
      return { ...state, finished: true, streamed: true };
    case 'cancel':
      if (isOver(state)) return state;
      if (unsent(state, sent)) return { ...nobody(state), submitting: false, error: input.error };
      // Where the stream said that it is over, the job is read rather than cancelled, to have an answer.
      return {
        ...state,
        leaving: false,
        left: true,
        policy: state.finished ? 'cancel-if-queued' : 'cancel',
        finished: false,
      };
    case 'detach':
      return { ...nobody(state), policy: 'detach' };
    case 'deadline':
      if (isOver(state)) return state;
      return state.id === undefined
        ? { ...nobody(state), submitting: !!state.submitting && sent, left: sent, policy: 'cancel', error: input.error }
        : { ...state, passed: input.limit };
    case 'expired':
      return isOver(state) ? state : { ...nobody(state), error: input.error, left: true, policy: 'cancel' };
    case 'news':
      return state;
    case 'settled': {
      const next = { ...state, left: false };
      return input.settled.snapshot ? answered(next, input.settled.snapshot, now) : next;
    }
  }
}

/** What is to go on in a state. */
export function plan(state: JobState, timeout: JobTimeout): Plan {
  const { id, left = false, passed, submitting = false, leaving = false } = state;
  const live = id !== undefined && !isOver(state);
  const owned = isOwned(state);
  return {
    submit: submitting,
    hold: submitting && left,
    listen: (state.viewers.size > 0 || leaving) && !left && !isOver(state),
    watch: live && owned && !passed,
    stream: id !== undefined && owned && !!state.streaming && !state.streamed && state.error === undefined,
    grace: leaving,
    cancel: id !== undefined && left && state.policy !== 'detach' && !state.finished,
    deadline: owned && !isOver(state) && !passed && Math.min(...deadlines(state, timeout).map(([, at]) => at)),
    expire: live && !!passed,
  };
}

/** The deadlines that are still ahead, or passed and not acted upon. */
export function deadlines(state: JobState, timeout: JobTimeout): (readonly [keyof JobTimeout, number])[] {
  const { startedAt = Infinity, runningAt = Infinity, snapshot } = state;
  const { queue = Infinity, execution = Infinity, total = Infinity } = timeout;
  const queued = !snapshot || snapshot.status === 'IN_QUEUE';
  return [
    ['total', startedAt + total],
    ['queue', queued ? startedAt + queue : Infinity],
    ['execution', runningAt + execution + KILL_MARGIN],
  ];
}

function isOwned({ viewers }: JobState): boolean {
  return [...viewers.values()].some((role) => role !== 'starter');
}

/** Whether the service cannot have the job yet. */
function unsent({ id, submitting }: JobState, sent: boolean): boolean {
  return id === undefined && !(submitting && sent);
}

function nobody(state: JobState): JobState {
  return { ...state, viewers: new Map(), leaving: false };
}

/** The job is left. What was not sent never is. */
function depart(state: JobState, sent: boolean): JobState {
  return state.submitting && !sent ? { ...nobody(state), submitting: false } : { ...state, leaving: false, left: true };
}

/** Terminal is final, whatever a late answer says. */
function answered(state: JobState, snapshot: JobSnapshot, now: number): JobState {
  const { snapshot: last } = state;
  if ((last && (isTerminal(last) || sameJson(last.raw, snapshot.raw))) || state.error !== undefined) {
    return isTerminal(snapshot) ? { ...state, finished: true } : state;
  }
  return {
    ...state,
    snapshot,
    runningAt: state.runningAt ?? (snapshot.status === 'IN_PROGRESS' ? now : undefined),
    finished: !!state.finished || isTerminal(snapshot),
  };
}
