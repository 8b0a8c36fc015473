import {
  EMPTY,
  NEVER,
  Subscription,
  defer,
  endWith,
  first,
  map,
  of,
  timer,
  type Observable,
  type ObservableInput,
  type Unsubscribable,
} from 'rxjs';
import { awaitHook } from '../errors/awaitHook.js';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { JobExpiredError } from '../errors/JobExpiredError.js';
import { abortWith } from '../operators/abortWith.js';
import { MAX_TIMER } from '../protocol/limits.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { deadlineError, nextDeadline } from './deadlines.js';
import { expireJob } from './expireJob.js';
import type { JobContext } from './JobContext.js';
import type { JobTimeout } from './JobOptions.js';
import { withJobPolicy } from './jobPolicy.js';
import { hasOwner, isEndOnly, isOver, isSubmitting, type JobAction, type JobState } from './jobReducer.js';
import { requestCancel } from './requestCancel.js';

/** What the effects depend on beside the job's state; it stays the same for all of the job's life. */
export interface EffectSettings {
  readonly timeout: JobTimeout;
  /** Whether all chunks are kept, so that the stream is read on for a chunk-viewer that comes back to it. */
  readonly keepsAllChunks: boolean;
}

/**
 * `false` where an effect is not to go on. Otherwise the effect goes on as long as the value stays the same; another
 * value starts it anew.
 */
export type EffectKey = boolean | number | string;

interface JobEffect {
  wanted(state: JobState, settings: EffectSettings): EffectKey;
  /** Starts the effect, which dispatches what comes of it. Ended by unsubscribing. */
  start(job: JobContext): Unsubscribable;
}

const table = {
  /** Has `settled()` wait for a submission that no view waits for, and for a cancel. */
  trackPending: {
    wanted: (state) =>
      ((isSubmitting(state) || state.recording === 'pending') && state.viewers.length === 0) ||
      !!state.cancelRequested ||
      (!!state.inGrace && state.policy !== 'detach') ||
      (isLive(state) && !!state.expiredDeadline),
    start: ({ backend }) => backend.trackPendingCancel(),
  },

  /** Listens for the client's closing, and to the job's signal. */
  listenForStop: {
    wanted: (state) =>
      state.viewers.length > 0 ||
      !!state.inGrace ||
      isSubmitting(state) ||
      (isLive(state) && !!state.owned && state.policy !== 'detach' && !state.finished),
    start: listenForStop,
  },

  /** Has `beforeSubmit` make the request. */
  prepare: {
    wanted: ({ submission }) => submission === 'preparing',
    start: prepare,
  },

  /** Submits the request. */
  submit: {
    wanted: ({ submission }) => submission === 'submitting',
    start: (job) => {
      const request = withJobPolicy(job.state.request as JobRequest<object>, job.timeout);
      const submission$ = job.backend.submit(request, (call) => {
        // Links, the function for the key and `beforeSend` are called within this, and may stop the job.
        call.isObsolete = () => job.isStopping;
        job.submissionCall = call;
      });
      const unrecorded = !!job.options.afterSubmit;
      return follow(job, submission$, (snapshot) => ({ type: 'submitted', snapshot, unrecorded }));
    },
  },

  /** Has `afterSubmit` record the job. Goes on without viewers: nobody else would know the job. */
  record: {
    wanted: ({ recording }) => recording === 'pending',
    start: (job) => {
      const { options, scheduler } = job;
      const call = () => options.afterSubmit?.(job.ref as JobRef) as ObservableInput<unknown>;
      const unknown = () => ({ ...job.context('run'), accepted: 'unknown' }) as const;
      const recorded$ = awaitHook({ hook: 'afterSubmit' }, call, unknown, scheduler).pipe(endWith(undefined));
      return follow(
        job,
        recorded$,
        () => ({ type: 'recorded' }),
        (error) => ({ type: 'recordFailed', error }),
      );
    },
  },

  /** Reads the job for its viewers until it is over. A job past a deadline is read by `expire` instead. */
  watch: {
    wanted: (state) => isLive(state) && hasOwner(state) && !state.expiredDeadline && !state.recording,
    start: (job) => {
      const onCompleted = () => {
        job.dispatch({ type: 'finished' });
      };
      const endOnly = () => followsEndOnly(job.state, job.timeout);
      const snapshot$ = job.backend.watch(job.id, { ref: job.origin.ref, onCompleted, endOnly });
      return follow(job, snapshot$, answer, (error) => ({ type: 'readFailed', error }));
    },
  },

  /** Reads the chunks of the job's stream. */
  stream: {
    wanted: (state, { keepsAllChunks }) =>
      state.id !== undefined &&
      !state.recording &&
      state.stream !== 'drained' &&
      state.error === undefined &&
      (state.viewers.some(({ role }) => role === 'chunk-viewer') ||
        (hasOwner(state) && state.stream === 'wanted' && keepsAllChunks)),
    start: readStream,
  },

  /** Waits for an owning view to be subscribed to again. */
  grace: {
    wanted: ({ inGrace = false }) => inGrace,
    start: (job) => {
      const { backend, options, scheduler, state } = job;
      const grace = follow(job, timer(options.grace ?? 0, scheduler), () => ({ type: 'graceOver' }));
      // An answer to others may show that the job is over: it is not cancelled then.
      if (state.id !== undefined)
        grace.add(follow(job, backend.snapshots(state.id).pipe(backend.checkOutput()), answer));
      return grace;
    },
  },

  /** Cancels the job on the server until that is confirmed. */
  cancel: {
    wanted: ({ id, cancelRequested = false }) => id !== undefined && cancelRequested,
    start: (job) => {
      const onlyIfQueued = job.state.cancelRequested === 'cancel-if-queued';
      return follow(job, requestCancel(job, { onlyIfQueued }), (result) => ({ type: 'cancelSettled', result }));
    },
  },

  /** Waits for the next deadline. */
  deadline: {
    wanted: (state, { timeout }) => {
      const [, at] = nextDeadline(state, timeout);
      return hasOwner(state) && !isOver(state) && !state.expiredDeadline && at < Infinity && at;
    },
    start: (job) => {
      const { scheduler, timeout } = job;
      const [limit, at] = nextDeadline(job.state, timeout);
      const delay = at - scheduler.now();
      // No job lives longer than a timer can last: the service's own limits end it before.
      return follow(job, delay > MAX_TIMER ? EMPTY : timer(delay, scheduler), () => ({
        type: 'deadline',
        limit,
        error: deadlineError(limit, timeout, job.state, job.context('run')),
      }));
    },
  },

  /** Asks the service one last time about a job that has passed a deadline. */
  expire: {
    wanted: (state) => isLive(state) && !!state.expiredDeadline,
    start: (job) => follow(job, expireJob(job, job.state.expiredDeadline as keyof JobTimeout), (action) => action),
  },
} satisfies Record<string, JobEffect>;

export type EffectName = keyof typeof table;

/** What goes on because of a job's state: when each effect goes on, and what it does. */
export const jobEffects: Readonly<Record<EffectName, JobEffect>> = table;

/** The names of all effects, in the order in which they are started. */
export const effectNames = Object.keys(jobEffects) as EffectName[];

/** The effects that are to go on in a state. */
export function wantedEffects(state: JobState, settings: EffectSettings): Record<EffectName, EffectKey> {
  return Object.fromEntries(effectNames.map((name) => [name, jobEffects[name].wanted(state, settings)])) as Record<
    EffectName,
    EffectKey
  >;
}

/** Whether nothing but the job's end is of interest at the moment. The deadlines of a part of its life depend on when it began to run. */
export function followsEndOnly(state: JobState, { queue, execution }: JobTimeout): boolean {
  return isEndOnly(state) && queue === undefined && execution === undefined;
}

/** Whether the job is on the server, and not known to be over. */
function isLive(state: JobState): boolean {
  return state.id !== undefined && !isOver(state);
}

function answer(snapshot: JobSnapshot): JobAction {
  return { type: 'answer', snapshot };
}

/** Dispatches an action for each value of a source, and one for its error. */
function follow<T>(
  job: JobContext,
  source: Observable<T>,
  toAction: (value: T) => JobAction,
  toFailure: (error: unknown) => JobAction = (error) => ({ type: 'failed', error }),
): Subscription {
  return source.subscribe({
    next: (value) => {
      job.dispatch(toAction(value));
    },
    error: (error: unknown) => {
      job.dispatch(toFailure(error));
    },
  });
}

function listenForStop(job: JobContext): Unsubscribable {
  const { backend, options, origin } = job;
  const { signal } = options;
  /** Whether the service may have the job, where there is no id yet. */
  const accepted = () => {
    if (job.state.id !== undefined) return undefined;
    return job.submissionCall?.maybeReceived ? 'unknown' : 'no';
  };
  const closing = backend.onClosing((error) => {
    const context = job.context(origin.request ? 'run' : 'status');
    job.dispatch({ type: 'stop', error: error({ ...context, accepted: accepted() }) });
  });
  if (!signal) return closing;
  const listening = new Subscription();
  listening.add(closing);
  const aborted$ = NEVER.pipe(abortWith<never>(signal, () => ({ ...job.context('run'), accepted: accepted() })));
  const abortion = aborted$.subscribe({
    error: (error: unknown) => {
      // A signal stays aborted: a job that goes on after that is not stopped again.
      if (!job.state.stopped) job.dispatch({ type: 'stop', error });
    },
  });
  listening.add(abortion);
  return listening;
}

function prepare(job: JobContext): Unsubscribable {
  const { options } = job;
  const request = job.origin.request as JobRequest<object>;
  // A submission that was withdrawn before says nothing about the new one.
  job.submissionCall = undefined;
  const prepared$ = defer(() => (options.beforeSubmit ? options.beforeSubmit(request) : of(request))).pipe(
    first(null, undefined),
  );
  const unprepared = (message: string, cause?: unknown): JobAction => {
    const context = { ...job.context('run'), accepted: 'no', cause } as const;
    return { type: 'failed', error: new ConfigurationError(message, context) };
  };
  return follow(
    job,
    prepared$,
    (prepared: JobRequest<object> | undefined) =>
      prepared ? { type: 'ready', request: prepared } : unprepared('beforeSubmit gave no request'),
    // Its own error is what its author knows. That of RxJS names nothing.
    (error) =>
      isInvalidSource(error)
        ? unprepared('beforeSubmit gave neither an Observable nor a promise of a request', error)
        : { type: 'failed', error },
  );
}

/** Whether RxJS says that what it was given is nothing to subscribe to. */
function isInvalidSource(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes('where a stream was expected');
}

function readStream(job: JobContext): Unsubscribable {
  const { backend, id } = job;
  const onJobOver = () => {
    job.dispatch({ type: 'finished' });
    backend.refresh(id);
  };
  const actions$ = backend.readStream(id, job.position, onJobOver).pipe(
    map((event): JobAction => ({ type: 'streamEvent', event })),
    endWith<JobAction>({ type: 'drained' }),
  );
  return follow(
    job,
    actions$,
    (action) => action,
    (error) => {
      const { snapshot } = Object(error) as { snapshot?: JobSnapshot };
      // A terminal snapshot on the error means that the job has ended, after its last chunk. Where the job has expired,
      // its chunks may have expired unread.
      return snapshot && isTerminal(snapshot) && !(error instanceof JobExpiredError)
        ? { type: 'drained' }
        : { type: 'streamFailed', error };
    },
  );
}
