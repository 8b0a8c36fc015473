import { EMPTY, NEVER, Subject, Subscription, defer, of, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { JobExpiredError } from '../../src/errors/JobExpiredError.js';
import { jobError } from '../../src/errors/jobError.js';
import type { CancelOutcome } from '../../src/job/cancelUntilConfirmed.js';
import type { JobBackend, JobCancelOptions, SubmissionCall } from '../../src/job/JobBackend.js';
import type { JobContext } from '../../src/job/JobContext.js';
import { effectNames, jobEffects, wantedEffects, type EffectName } from '../../src/job/jobEffects.js';
import type { JobOptions } from '../../src/job/JobOptions.js';
import type { JobAction, JobState, Viewer, ViewerRole } from '../../src/job/jobReducer.js';
import type { StreamEvent } from '../../src/sources/StreamEvent.js';
import type { JobRequest } from '../../src/types/JobRequest.js';
import type { FailedSnapshot, JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job } from '../fixtures/snapshots.js';
import { clock } from '../support/world.js';

const viewers = (...roles: ViewerRole[]): Viewer[] => roles.map((role) => ({ role, notify: () => undefined }));
const idle: JobState = { submission: 'idle', stream: 'off', policy: 'cancel', viewers: [] };
const submitting: JobState = { ...idle, submission: 'submitting', request: { input: { x: 1 } } };
/** On the server, without a viewer, and not to be cancelled. */
const queued: JobState = { ...idle, submission: 'submitted', id: 'j', snapshot: job('IN_QUEUE') };
const completed: JobState = { ...queued, snapshot: job('COMPLETED', { output: 1 }), finished: true };
const failed: JobState = { ...queued, error: new Error('no') };
const one = viewers('viewer');
const ids = viewers('id-viewer');
const chunks = viewers('chunk-viewer');

/** The names of the effects that go on in a state, in their order. */
function going(state: JobState, { keepsAllChunks = true, total = undefined as number | undefined } = {}): string {
  const wanted = wantedEffects(state, { timeout: { total }, keepsAllChunks });
  return effectNames.filter((name) => wanted[name] !== false).join(' ');
}

describe('the effects of a job', () => {
  test.each<[string, JobState, string]>([
    ['not begun', idle, ''],
    ['preparing', { ...idle, submission: 'preparing', viewers: one }, 'listenForStop prepare'],
    ['preparing, without viewers', { ...idle, submission: 'preparing' }, 'trackPending listenForStop prepare'],
    ['being sent', { ...submitting, viewers: one }, 'listenForStop submit'],
    ['being sent, for its id', { ...submitting, viewers: ids }, 'listenForStop submit'],
    ['being sent, without viewers', submitting, 'trackPending listenForStop submit'],
    ['being sent, to be cancelled', { ...submitting, cancelRequested: 'cancel' }, 'trackPending listenForStop submit'],
    ['never taken', { ...idle, submission: 'failed', error: new Error('no') }, ''],
    ['queued, without viewers', queued, ''],
    ['queued', { ...queued, viewers: one }, 'listenForStop watch'],
    ['queued, for its id', { ...queued, viewers: ids }, 'listenForStop'],
    ['after a failed read', { ...queued, owned: true }, 'listenForStop'],
    ['after a failed read, finished', { ...queued, owned: true, finished: true }, ''],
    ['after a failed read, not to be cancelled', { ...queued, owned: true, policy: 'detach' }, ''],
    ['after a failed read, over', { ...completed, owned: true, finished: false }, ''],
    ['in its grace', { ...queued, owned: true, inGrace: true }, 'trackPending listenForStop grace'],
    ['in its grace, not to be cancelled', { ...queued, inGrace: true, policy: 'detach' }, 'listenForStop grace'],
    ['being cancelled', { ...queued, cancelRequested: 'cancel' }, 'trackPending cancel'],
    ['streaming', { ...queued, viewers: chunks, stream: 'wanted' }, 'listenForStop watch stream'],
    [
      'streaming for a viewer that comes back',
      { ...queued, viewers: one, stream: 'wanted' },
      'listenForStop watch stream',
    ],
    ['streaming for nobody', { ...queued, viewers: ids, stream: 'wanted' }, 'listenForStop'],
    ['drained', { ...queued, viewers: chunks, stream: 'drained' }, 'listenForStop watch'],
    ['completed', completed, ''],
    ['completed, not drained', { ...completed, viewers: chunks, stream: 'wanted' }, 'listenForStop stream'],
    ['failed for the client', { ...failed, stream: 'wanted', viewers: chunks }, 'listenForStop'],
    ['past a deadline', { ...queued, viewers: one, expiredDeadline: 'total' }, 'trackPending listenForStop expire'],
    ['past a deadline, without viewers', { ...queued, expiredDeadline: 'total' }, 'trackPending expire'],
    ['past a deadline, over', { ...completed, expiredDeadline: 'total' }, ''],
    ['past a deadline, without an id', { ...idle, expiredDeadline: 'total' }, ''],
  ])('of a job that is %s: %3$s', (_, state, effects) => {
    expect(going(state)).toBe(effects);
  });

  test('the stream is read on for a viewer that comes back only where all chunks are kept', () => {
    const state: JobState = { ...queued, viewers: one, stream: 'wanted' };
    expect(going(state, { keepsAllChunks: false })).toBe('listenForStop watch');
    expect(going({ ...state, stream: 'off' })).toBe('listenForStop watch');
    expect(going({ ...state, viewers: chunks }, { keepsAllChunks: false })).toBe('listenForStop watch stream');
  });

  test.each<[string, JobState, number | false]>([
    ['with a viewer', { ...queued, viewers: one, startedAt: 5 }, 105],
    ['before it is sent', { ...submitting, viewers: one, startedAt: 5 }, 105],
    ['for its id alone', { ...queued, viewers: ids, startedAt: 5 }, false],
    ['over', { ...completed, viewers: one, startedAt: 5 }, false],
    ['past a deadline', { ...queued, viewers: one, startedAt: 5, expiredDeadline: 'total' }, false],
    ['not begun', { ...queued, viewers: one }, false],
  ])('a deadline is waited for only while a view is subscribed to that owns the job: %s', (_, state, at) => {
    expect(wantedEffects(state, { timeout: { total: 100 }, keepsAllChunks: true }).deadline).toBe(at);
  });

  test('a cancel is started anew where it becomes unconditional', () => {
    const keyOf = (state: JobState) => wantedEffects(state, { timeout: {}, keepsAllChunks: true }).cancel;
    expect(keyOf({ ...queued, cancelRequested: 'cancel-if-queued' })).toBe('cancel-if-queued');
    expect(keyOf({ ...queued, cancelRequested: 'cancel' })).toBe('cancel');
    expect(keyOf({ ...submitting, cancelRequested: 'cancel' })).toBe(false);
  });
});

/** A job in a state, with a backend that does nothing unless the test says what. */
function contextOf(
  state: JobState,
  {
    options = {},
    timeout = {},
    ...backend
  }: Partial<JobBackend> & { options?: JobOptions<object>; timeout?: JobContext['timeout'] } = {},
) {
  const time = clock();
  const actions: JobAction[] = [];
  const context: JobContext = {
    backend: {
      scheduler: time.scheduler,
      reportLost: () => undefined,
      reportDetached: () => undefined,
      endpointId: 'e',
      tag: undefined,
      context: (operation, jobId) => ({ operation, jobId, endpointId: 'e' }),
      submit: () => NEVER,
      watch: () => NEVER,
      read: () => NEVER,
      snapshots: () => NEVER,
      readStream: () => NEVER,
      cancel: () => NEVER,
      watchHealth: () => NEVER,
      checkOutput: () => (source) => source,
      readSoon: () => undefined,
      refresh: () => undefined,
      wallNow: () => 0,
      submittedAt: () => undefined,
      submissionDate: () => undefined,
      hasGap: () => false,
      trackPendingCancel: () => new Subscription(),
      onClosing: () => new Subscription(),
      ...backend,
    },
    scheduler: time.scheduler,
    origin: { request: { input: { x: 1 } } },
    options,
    timeout,
    state,
    id: state.id ?? '',
    ref: undefined,
    position: {},
    submissionCall: undefined,
    isStopping: false,
    context: (operation) => ({ operation, jobId: state.id, endpointId: 'e' }),
    dispatch: (action) => {
      actions.push(action);
    },
    waitFor: () => NEVER,
  };
  return { ...time, context, actions, start: (name: EffectName) => jobEffects[name].start(context) };
}

describe('preparing', () => {
  test('without beforeSubmit submits the request as it was given, and forgets the submission before', () => {
    const { start, actions, context } = contextOf(idle);
    context.submissionCall = { maybeReceived: true, abandoned: true };
    start('prepare');
    expect(actions).toEqual([{ type: 'ready', request: { input: { x: 1 } } }]);
    expect(context.submissionCall).toBeUndefined();
  });

  test('takes the first request that beforeSubmit gives', () => {
    const given: JobRequest<object>[] = [];
    const beforeSubmit = (request: JobRequest<object>) => {
      given.push(request);
      return of({ input: { y: 1 } }, { input: { y: 2 } });
    };
    const { start, actions } = contextOf(idle, { options: { beforeSubmit } });
    start('prepare');
    expect(actions).toEqual([{ type: 'ready', request: { input: { y: 1 } } }]);
    expect(given).toEqual([{ input: { x: 1 } }]);
  });

  test('fails where beforeSubmit gives none', () => {
    const { start, actions } = contextOf(idle, { options: { beforeSubmit: () => EMPTY } });
    start('prepare');
    const failure = { code: 'configuration', accepted: 'no', message: 'beforeSubmit gave no request' };
    expect(actions).toMatchObject([{ type: 'failed', error: { ...failure, operation: 'run' } }]);
  });

  test('fails where beforeSubmit gives what nobody can subscribe to', () => {
    const beforeSubmit = () => 1 as never;
    const { start, actions } = contextOf(idle, { options: { beforeSubmit } });
    start('prepare');
    const message = 'beforeSubmit gave neither an Observable nor a promise of a request';
    const failure = { code: 'configuration', accepted: 'no', message, cause: expect.any(TypeError) as TypeError };
    expect(actions).toEqual([{ type: 'failed', error: expect.objectContaining(failure) as object }]);
  });

  test.each([new TypeError('this endpoint takes no such prompt'), new Error('where a stream was expected')])(
    'fails with the error of beforeSubmit as it is: %s',
    (error) => {
      const { start, actions } = contextOf(idle, { options: { beforeSubmit: () => throwError(() => error) } });
      start('prepare');
      expect(actions).toEqual([{ type: 'failed', error }]);
    },
  );
});

test('submitting sends the request with the policy of the deadlines, and keeps the call', () => {
  const sent: JobRequest<object>[] = [];
  const call: SubmissionCall = { maybeReceived: false, abandoned: false };
  const submit = (request: JobRequest<object>, onStart: (started: SubmissionCall) => void) => {
    sent.push(request);
    onStart(call);
    return of(job('IN_QUEUE'));
  };
  const { start, actions, context } = contextOf(submitting, { submit, timeout: { execution: 60_000 } });
  start('submit');
  expect(sent).toMatchObject([{ input: { x: 1 }, policy: { executionTimeout: 60_000 } }]);
  expect(context.submissionCall).toBe(call);
  expect(actions).toMatchObject([{ type: 'submitted', snapshot: { status: 'IN_QUEUE' } }]);
});

describe('watching', () => {
  test('dispatches answers, and an error as a failed read', () => {
    const answers = new Subject<JobSnapshot>();
    const { start, actions } = contextOf(queued, { watch: () => answers });
    start('watch');
    answers.next(job('IN_PROGRESS'));
    const error = new Error('no');
    answers.error(error);
    expect(actions).toMatchObject([
      { type: 'answer', snapshot: { status: 'IN_PROGRESS' } },
      { type: 'readFailed', error },
    ]);
  });

  test('dispatches that the job has finished before its output is checked', () => {
    const watch: JobBackend['watch'] = (_, { onCompleted }) => {
      onCompleted?.();
      return NEVER;
    };
    const { start, actions } = contextOf(queued, { watch });
    start('watch');
    expect(actions).toEqual([{ type: 'finished' }]);
  });
});

describe('reading the stream', () => {
  const ended = job('FAILED', { error: 'x' }) as FailedSnapshot;
  const at = { operation: 'stream' };
  const expired = new JobExpiredError('gone', at, { snapshot: ended });
  const failure = jobError(ended, at);
  const notOver = Object.assign(new Error('no'), { snapshot: job('IN_PROGRESS') });
  test.each<[string, unknown, JobAction]>([
    ['the end of a job that failed', failure, { type: 'drained' }],
    ['a job that has expired', expired, { type: 'streamFailed', error: expired }],
    ['a job that is not over', notOver, { type: 'streamFailed', error: notOver }],
    ['another error', 'no', { type: 'streamFailed', error: 'no' }],
    ['no error at all', undefined, { type: 'streamFailed', error: undefined }],
  ])('errors with %s', (_, error, action) => {
    const { start, actions } = contextOf(queued, { readStream: () => throwError(() => error) });
    start('stream');
    expect(actions).toEqual([action]);
  });

  test('passes chunks on, is drained when it completes, and has the job read when it is over', () => {
    const chunk: StreamEvent = { type: 'chunk', chunk: 1 };
    const refreshed: string[] = [];
    const { start, actions } = contextOf(queued, {
      readStream: (_id, _position, onJobOver) => {
        onJobOver();
        return of(chunk);
      },
      refresh: (id) => refreshed.push(id),
    });
    start('stream');
    expect(actions).toEqual([{ type: 'finished' }, { type: 'streamEvent', event: chunk }, { type: 'drained' }]);
    expect(refreshed).toEqual(['j']);
  });
});

describe('a grace', () => {
  test.each([
    [undefined, 0],
    [50, 50],
  ])('of %s ms is over at %i', (grace, at) => {
    const { start, actions, until } = contextOf(queued, { options: { grace } });
    start('grace');
    until(at - 1);
    expect(actions).toEqual([]);
    until(at);
    expect(actions).toEqual([{ type: 'graceOver' }]);
  });

  test('hears the answers that others get, until it is left', () => {
    const answers = new Subject<JobSnapshot>();
    const { start, actions } = contextOf(queued, { snapshots: () => answers });
    const grace = start('grace');
    answers.next(job('COMPLETED'));
    expect(actions).toMatchObject([{ type: 'answer', snapshot: { status: 'COMPLETED' } }]);
    grace.unsubscribe();
    expect(answers.observed).toBe(false);
  });

  test('of a job without an id hears no answers', () => {
    const { start } = contextOf(submitting, {
      snapshots: () => {
        throw new Error('there is no id');
      },
    });
    expect(() => start('grace')).not.toThrow();
  });
});

test.each<[JobState['cancelRequested'], string, JobCancelOptions]>([
  ['cancel', 'IN_QUEUE', { onlyIfQueued: false, urgent: false }],
  ['cancel', 'IN_PROGRESS', { onlyIfQueued: false, urgent: true }],
  ['cancel-if-queued', 'IN_QUEUE', { onlyIfQueued: true, urgent: false }],
])('%s of a job that is %s', (cancelRequested, status, options) => {
  const cancels: [string, JobCancelOptions][] = [];
  const result: CancelOutcome = { outcome: 'cancelled' };
  const cancel: JobBackend['cancel'] = (...cancelled) => {
    cancels.push(cancelled);
    return of(result);
  };
  const { start, actions } = contextOf({ ...queued, cancelRequested, snapshot: job(status) }, { cancel });
  start('cancel');
  expect(cancels).toEqual([['j', options]]);
  expect(actions).toEqual([{ type: 'cancelSettled', result }]);
});

describe('waiting for a deadline', () => {
  const state: JobState = { ...queued, viewers: one, startedAt: 0 };

  test('dispatches it, with the error that its views get', () => {
    const { start, actions, until } = contextOf(state, { timeout: { total: 100 } });
    until(30);
    start('deadline');
    until(99);
    expect(actions).toEqual([]);
    until(100);
    expect(actions).toMatchObject([
      {
        type: 'deadline',
        limit: 'total',
        error: { code: 'job_deadline', limit: 'total', jobId: 'j', operation: 'run' },
      },
    ]);
  });

  test('starts no timer beyond what a timer can wait', () => {
    const longest = 2 ** 31 - 1;
    const within = contextOf(state, { timeout: { total: longest } });
    within.start('deadline');
    expect(within.scheduler.actions).toHaveLength(1);
    const beyond = contextOf(state, { timeout: { total: longest + 1 } });
    beyond.start('deadline');
    expect(beyond.scheduler.actions).toHaveLength(0);
  });
});

describe('listening for a stop', () => {
  const aborted = AbortSignal.abort();

  test.each<[string, JobState, SubmissionCall | undefined, string | undefined]>([
    ['before it is sent', submitting, undefined, 'no'],
    ['while it waits for its turn', submitting, { maybeReceived: false, abandoned: false }, 'no'],
    ['while it is on its way', submitting, { maybeReceived: true, abandoned: false }, 'unknown'],
    ['of a job with an id', queued, undefined, undefined],
  ])('dispatches the abort of its signal %s', (_, state, submissionCall, accepted) => {
    const { start, actions, context } = contextOf(state, { options: { signal: aborted } });
    context.submissionCall = submissionCall;
    start('listenForStop');
    expect(actions).toMatchObject([{ type: 'stop', error: { code: 'aborted', operation: 'run' } }]);
    expect((actions[0] as { error: { accepted?: string } }).error.accepted).toBe(accepted);
  });

  test('hears a signal once', () => {
    const { start, actions } = contextOf({ ...queued, stopped: true }, { options: { signal: aborted } });
    start('listenForStop');
    expect(actions).toEqual([]);
  });

  test.each<[string, JobContext['origin'], string]>([
    ['submitted', { request: { input: {} } }, 'run'],
    ['attached to', { ref: { v: 1, endpointId: 'e', id: 'j' } }, 'status'],
  ])('dispatches the closing of the client, of a job that was %s', (_, origin, operation) => {
    let close: Parameters<JobBackend['onClosing']>[0] = () => undefined;
    const listening = new Subscription();
    const made = contextOf(queued, {
      onClosing: (listener) => {
        close = listener;
        return listening;
      },
    });
    const started = jobEffects.listenForStop.start({ ...made.context, origin });
    close((context) => Object.assign(new Error('closed'), context));
    expect(made.actions).toMatchObject([{ type: 'stop', error: { message: 'closed', operation, jobId: 'j' } }]);
    started.unsubscribe();
    expect(listening.closed).toBe(true);
  });

  test('takes its listener off the signal', () => {
    const controller = new AbortController();
    const { start, actions } = contextOf(queued, { options: { signal: controller.signal } });
    start('listenForStop').unsubscribe();
    controller.abort();
    expect(actions).toEqual([]);
  });
});

test('a job past a deadline is read, then cancelled, then read again, and expires', () => {
  const steps: string[] = [];
  const { start, actions } = contextOf(
    { ...queued, expiredDeadline: 'queue' },
    {
      timeout: { queue: 10 },
      read: () =>
        defer(() => {
          steps.push('read');
          return of(job('IN_QUEUE'));
        }),
      cancel: (_id, { onlyIfQueued }) => {
        steps.push(onlyIfQueued ? 'conditional cancel' : 'cancel');
        return of({ outcome: 'cancelled' });
      },
    },
  );
  start('expire');
  expect(steps).toEqual(['read', 'cancel', 'read']);
  expect(actions).toMatchObject([{ type: 'finished' }, { type: 'expired', error: { limit: 'queue' } }]);
});

test('what is pending is tracked until it is not', () => {
  const tracking = new Subscription();
  const { start } = contextOf(queued, { trackPendingCancel: () => tracking });
  start('trackPending').unsubscribe();
  expect(tracking.closed).toBe(true);
});
