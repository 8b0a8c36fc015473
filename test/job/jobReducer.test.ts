import { describe, expect, test } from 'vitest';
import {
  isOver,
  isSubmitting,
  jobReducer,
  type JobAction,
  type JobState,
  type ViewerRole,
  type Viewer,
} from '../../src/job/jobReducer.js';
import { nextDeadline } from '../../src/job/deadlines.js';
import type { JobTimeout } from '../../src/job/JobOptions.js';
import { JobNotFoundError } from '../../src/errors/JobNotFoundError.js';
import { JobOutputError } from '../../src/errors/JobOutputError.js';
import { snapshotOf } from '../../src/protocol/snapshot.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';

const job = (status: string, more = {}): JobSnapshot =>
  (snapshotOf({ id: 'job-1', status, ...more }) as { value: JobSnapshot }).value;
const viewer = (role: ViewerRole): Viewer => ({ role, notify: () => undefined });
const viewers = (...roles: ViewerRole[]): JobState['viewers'] => roles.map(viewer);
const failure = new Error('no');
const at = { operation: 'status' };
const request = { input: { x: 1 } };

const base = {
  policy: 'cancel',
  submission: 'idle',
  stream: 'off',
  viewers: viewers('viewer'),
  owned: true,
  startedAt: 0,
} as const;
const taken = { ...base, submission: 'submitted', id: 'job-1', snapshot: job('IN_QUEUE'), request } as const;

/** A job in every stage of its life. */
const states = {
  'not begun': { policy: 'cancel', submission: 'idle', stream: 'off', viewers: viewers() },
  preparing: { ...base, submission: 'preparing' },
  'being sent': { ...base, submission: 'submitting', request },
  'being sent for its id': {
    ...base,
    viewers: viewers('id-viewer'),
    owned: false,
    submission: 'submitting',
    request,
  },
  'sent and abandoned': { ...base, viewers: viewers(), submission: 'submitting', request, cancelRequested: 'cancel' },
  queued: taken,
  running: { ...taken, snapshot: job('IN_PROGRESS'), runningAt: 5 },
  streaming: { ...taken, viewers: viewers('chunk-viewer', 'viewer'), stream: 'wanted' },
  'in its grace': { ...taken, viewers: viewers(), inGrace: true },
  'being cancelled': { ...taken, viewers: viewers(), cancelRequested: 'cancel', owned: false },
  detached: { ...taken, viewers: viewers(), policy: 'detach', detached: true },
  'past a deadline': { ...taken, expiredDeadline: 'total' },
  'over for the stream': { ...taken, stream: 'wanted', finished: true },
  completed: { ...taken, snapshot: job('COMPLETED', { output: 1 }), finished: true },
  'completed, not drained': {
    ...taken,
    viewers: viewers('chunk-viewer'),
    snapshot: job('COMPLETED', { output: 1 }),
    finished: true,
    stream: 'wanted',
  },
  'failed by the service': { ...taken, snapshot: job('FAILED', { error: 'no' }), finished: true },
  'failed for the client': { ...taken, viewers: viewers(), error: failure },
  'never taken': { ...base, submission: 'failed', viewers: viewers(), error: failure },
} as const satisfies Record<string, JobState>;
type StateName = keyof typeof states;

/** Everything that can happen. */
const inputs = {
  'join viewer': { type: 'join', viewer: viewer('viewer') },
  'join chunk-viewer': { type: 'join', viewer: viewer('chunk-viewer') },
  'join id-viewer': { type: 'join', viewer: viewer('id-viewer') },
  'leave of an unknown viewer': { type: 'leave', viewer: viewer('viewer'), notified: false },
  ready: { type: 'ready', request: { input: { y: 2 } } },
  submitted: { type: 'submitted', snapshot: job('IN_QUEUE') },
  'answer IN_PROGRESS': { type: 'answer', snapshot: job('IN_PROGRESS') },
  'answer COMPLETED': { type: 'answer', snapshot: job('COMPLETED', { output: 2 }) },
  failed: { type: 'failed', error: new Error('other') },
  readFailed: { type: 'readFailed', error: new Error('other') },
  streamFailed: { type: 'streamFailed', error: new Error('other') },
  graceOver: { type: 'graceOver' },
  finished: { type: 'finished' },
  drained: { type: 'drained' },
  detach: { type: 'detach' },
  cancel: { type: 'cancel', error: new Error('other') },
  stop: { type: 'stop', error: new Error('other') },
  deadline: { type: 'deadline', limit: 'total', error: new Error('other') },
  expired: { type: 'expired', error: new Error('other') },
  'settled cancelled': { type: 'cancelSettled', result: { outcome: 'cancelled', snapshot: job('CANCELLED') } },
  'settled without an answer': { type: 'cancelSettled', result: { outcome: 'abandoned' } },
  'settled as gone': {
    type: 'cancelSettled',
    result: { outcome: 'finished', error: new JobNotFoundError('gone', at) },
  },
  streamEvent: { type: 'streamEvent', event: { type: 'gap', delivered: 1 } },
} as const satisfies Record<string, JobAction>;
type InputName = keyof typeof inputs;

const after = (state: StateName, input: InputName, sent = true): JobState =>
  jobReducer(states[state], inputs[input], { now: 100, maybeReceived: sent });

/** A state in a few words: what is known of the job, and its viewers. */
function told(state: JobState): string {
  const { id, snapshot, error, inGrace, cancelRequested, viewers: all, expiredDeadline } = state;
  return [
    error
      ? `error ${(error as Error).message}`
      : (snapshot?.status ?? (id ? 'known' : isSubmitting(state) ? 'submitting' : 'new')),
    expiredDeadline && `past ${expiredDeadline}`,
    inGrace && 'in grace',
    cancelRequested && `to be cancelled: ${cancelRequested}`,
    all.map(({ role }) => role).join('+') || 'nobody',
  ]
    .filter(Boolean)
    .join(', ');
}

interface Step {
  readonly state: StateName;
  readonly input: InputName;
  readonly sent: boolean;
  readonly from: JobState;
  readonly to: JobState;
}
const every = (Object.keys(states) as StateName[]).flatMap((state) =>
  (Object.keys(inputs) as InputName[]).flatMap((input) =>
    [true, false].map((sent): Step => ({
      state,
      input,
      sent,
      from: states[state],
      to: after(state, input, sent),
    })),
  ),
);

/** Expects something to hold in every step; fails with the names of the steps in which it does not. */
function expectOfAll(holds: (step: Step) => boolean): void {
  const broken = every.filter((step) => !holds(step));
  expect(broken.map(({ state, input, sent }) => `${input} when ${state}${sent ? '' : ', unsent'}`)).toEqual([]);
}

describe('whatever happens to a job in whatever state', () => {
  test('S18 a job that is over stays over, with the same end', () => {
    expectOfAll(
      ({ from, to }) => !isOver(from) || (isOver(to) && to.snapshot === from.snapshot && to.error === from.error),
    );
  });

  test('S4 its id never changes, and no action submits it again', () => {
    expectOfAll(({ from, to, input }) =>
      from.id === undefined ? input === 'submitted' || to.id === undefined : to.id === from.id && !isSubmitting(to),
    );
  });

  test('S4 a submission begins only where a viewer joins, and never for a job that failed', () => {
    expectOfAll(
      ({ from, to, input }) => !isSubmitting(to) || isSubmitting(from) || (input.startsWith('join') && !isOver(from)),
    );
  });

  test('S5 a submission that the server may have is not withdrawn: it ends with its answer alone', () => {
    expectOfAll(
      ({ from, to, input, sent }) =>
        !(isSubmitting(from) && sent) || ['submitted', 'failed'].includes(input) || isSubmitting(to),
    );
  });

  test('S4 an error ends every view, and removes every viewer', () => {
    expectOfAll(({ from, to }) => to.error === undefined || from.error !== undefined || to.viewers.length === 0);
  });

  test('S6 a job that is over is not cancelled', () => {
    expectOfAll(({ from, to }) => !isOver(from) || from.error !== undefined || to.cancelRequested !== 'cancel');
  });

  test('a step does not mutate the state, and depends on nothing but its arguments', () => {
    for (const { state, from } of every) expect(from).toBe(states[state]);
    const frozen = Object.fromEntries(
      Object.entries(states).map(([name, state]) => [name, Object.freeze({ ...state })]),
    ) as Record<StateName, JobState>;
    for (const { state, input, sent, to } of every)
      expect(jobReducer(frozen[state], inputs[input], { now: 100, maybeReceived: sent })).toEqual(to);
  });
});

describe('the state after an action', () => {
  test.each<[StateName, InputName, string]>([
    ['not begun', 'join viewer', 'submitting, viewer'],
    ['not begun', 'join id-viewer', 'submitting, id-viewer'],
    ['not begun', 'cancel', 'error other, nobody'],
    ['not begun', 'detach', 'new, nobody'],
    ['preparing', 'join chunk-viewer', 'submitting, viewer+chunk-viewer'],
    ['preparing', 'failed', 'error other, nobody'],
    ['being sent', 'submitted', 'IN_QUEUE, viewer'],
    ['being sent', 'failed', 'error other, nobody'],
    ['being sent', 'cancel', 'submitting, to be cancelled: cancel, viewer'],
    ['being sent', 'deadline', 'error other, to be cancelled: cancel, nobody'],
    ['being sent', 'stop', 'submitting, to be cancelled: cancel, nobody'],
    ['sent and abandoned', 'submitted', 'IN_QUEUE, to be cancelled: cancel, nobody'],
    ['sent and abandoned', 'join viewer', 'submitting, to be cancelled: cancel, viewer'],
    ['queued', 'answer IN_PROGRESS', 'IN_PROGRESS, viewer'],
    ['queued', 'answer COMPLETED', 'COMPLETED, viewer'],
    ['queued', 'leave of an unknown viewer', 'IN_QUEUE, viewer'],
    ['queued', 'readFailed', 'IN_QUEUE, nobody'],
    ['queued', 'stop', 'IN_QUEUE, to be cancelled: cancel, nobody'],
    ['queued', 'cancel', 'IN_QUEUE, to be cancelled: cancel, viewer'],
    ['queued', 'detach', 'IN_QUEUE, nobody'],
    ['queued', 'deadline', 'IN_QUEUE, past total, viewer'],
    ['queued', 'expired', 'IN_QUEUE, viewer'],
    ['queued', 'failed', 'error other, nobody'],
    ['running', 'answer COMPLETED', 'COMPLETED, viewer'],
    ['streaming', 'streamFailed', 'IN_QUEUE, viewer'],
    ['streaming', 'readFailed', 'IN_QUEUE, nobody'],
    ['streaming', 'finished', 'IN_QUEUE, chunk-viewer+viewer'],
    ['in its grace', 'graceOver', 'IN_QUEUE, to be cancelled: cancel, nobody'],
    ['in its grace', 'join viewer', 'IN_QUEUE, viewer'],
    ['in its grace', 'join id-viewer', 'IN_QUEUE, in grace, id-viewer'],
    ['in its grace', 'detach', 'IN_QUEUE, nobody'],
    ['in its grace', 'answer COMPLETED', 'COMPLETED, in grace, nobody'],
    ['being cancelled', 'settled cancelled', 'CANCELLED, nobody'],
    ['being cancelled', 'settled without an answer', 'IN_QUEUE, nobody'],
    ['being cancelled', 'settled as gone', 'IN_QUEUE, nobody'],
    ['being cancelled', 'join viewer', 'IN_QUEUE, to be cancelled: cancel, viewer'],
    ['detached', 'graceOver', 'IN_QUEUE, nobody'],
    ['detached', 'stop', 'IN_QUEUE, nobody'],
    ['detached', 'join viewer', 'IN_QUEUE, viewer'],
    ['past a deadline', 'expired', 'error other, past total, to be cancelled: cancel, nobody'],
    ['past a deadline', 'answer COMPLETED', 'COMPLETED, past total, viewer'],
    ['over for the stream', 'cancel', 'IN_QUEUE, to be cancelled: cancel-if-queued, viewer'],
    ['over for the stream', 'stop', 'IN_QUEUE, nobody'],
    ['completed', 'answer IN_PROGRESS', 'COMPLETED, viewer'],
    ['completed', 'deadline', 'COMPLETED, viewer'],
    ['completed', 'cancel', 'COMPLETED, viewer'],
    ['completed, not drained', 'streamFailed', 'COMPLETED, nobody'],
    ['failed for the client', 'answer COMPLETED', 'error no, nobody'],
    ['failed for the client', 'join viewer', 'error no, nobody'],
    ['never taken', 'join viewer', 'error no, nobody'],
  ])('to a job %s: %s', (state, input, result) => {
    expect(told(after(state, input))).toBe(result);
  });

  test.each<[StateName, InputName, string]>([
    ['preparing', 'graceOver', 'new, nobody'],
    ['preparing', 'cancel', 'error other, nobody'],
    ['preparing', 'deadline', 'error other, nobody'],
    ['preparing', 'stop', 'error other, nobody'],
    ['being sent', 'graceOver', 'new, nobody'],
    ['being sent', 'cancel', 'error other, nobody'],
    ['being sent', 'deadline', 'error other, nobody'],
  ])('S5 to a job %s that was not sent: %s', (state, input, result) => {
    expect(told(after(state, input, false))).toBe(result);
  });
});

test.each<[StateName, string]>([
  ['being cancelled', 'error wrong, nobody'],
  ['running', 'error wrong, nobody'],
  ['completed', 'COMPLETED, viewer'],
])('to a job %s: settled with an output that does not match its schema: %s', (state, result) => {
  const error = new JobOutputError('wrong', at, { issues: [] });
  const next = jobReducer(
    states[state],
    { type: 'cancelSettled', result: { outcome: 'finished', error } },
    { now: 100, maybeReceived: true },
  );
  expect(told(next)).toBe(result);
});

describe('S4 the grace begins when a view is unsubscribed from', () => {
  const leave = (roles: ViewerRole[], role: ViewerRole, more: Partial<JobState> = {}): boolean => {
    const all = viewers(...roles);
    const one = all.find((each) => each.role === role)!;
    return !!jobReducer(
      { ...taken, ...more, viewers: all },
      { type: 'leave', viewer: one, notified: false },
      { now: 100, maybeReceived: true },
    ).inGrace;
  };
  test.each<[string, boolean, boolean]>([
    ['the last viewer', leave(['viewer'], 'viewer'), true],
    ['the last chunk-viewer', leave(['chunk-viewer'], 'chunk-viewer'), true],
    ['a viewer, beside a chunk-viewer', leave(['viewer', 'chunk-viewer'], 'viewer'), false],
    ['a viewer, beside an id-viewer', leave(['viewer', 'id-viewer'], 'viewer'), true],
    ['an id-viewer that has the id', leave(['id-viewer'], 'id-viewer'), false],
    [
      'the only id-viewer, before there is an id',
      leave(['id-viewer'], 'id-viewer', { id: undefined, submission: 'submitting' }),
      true,
    ],
    [
      'an id-viewer beside a viewer, before there is an id',
      leave(['id-viewer', 'viewer'], 'id-viewer', { id: undefined, submission: 'submitting' }),
      false,
    ],
    ['the last viewer of a job that is over', leave(['viewer'], 'viewer', { snapshot: job('COMPLETED') }), false],
    ['the last viewer of a job that the stream says is over', leave(['viewer'], 'viewer', { finished: true }), false],
  ])('by %s', (_, leaves, expected) => {
    expect(leaves).toBe(expected);
  });
});

describe('S12 the deadlines of a job', () => {
  const at = (state: JobState, timeout: JobTimeout) =>
    Object.fromEntries(
      (['total', 'queue', 'execution'] as const).map((limit) => {
        const [which, when] = nextDeadline(state, { [limit]: timeout[limit] });
        return [limit, which === limit ? when : Infinity];
      }),
    );
  const all = { queue: 1, execution: 20, total: 300 };

  test('in the queue: total counts from its start, queue from the first subscription', () => {
    expect(at({ ...states.queued, startedAt: 1_000, joinedAt: 2_000 }, all)).toEqual({
      total: 1_300,
      queue: 2_001,
      execution: Infinity,
    });
  });

  test('on a worker: total, and execution, 15 s late, from when the job was first seen to run', () => {
    expect(at(states.running, all)).toEqual({ total: 300, queue: Infinity, execution: 15_025 });
  });

  test('without limits there are none', () => {
    expect(at(states.running, {})).toEqual({ total: Infinity, queue: Infinity, execution: Infinity });
  });

  test('the earliest deadline counts', () => {
    expect(nextDeadline({ ...states.queued, startedAt: 1_000, joinedAt: 1_000 }, all)).toEqual(['queue', 1_001]);
    expect(nextDeadline(states.running, all)).toEqual(['total', 300]);
    expect(nextDeadline(states.running, { ...all, total: 30_000 })).toEqual(['execution', 15_025]);
  });

  test('runningAt is when the job was first seen to run', () => {
    const first = after('queued', 'answer IN_PROGRESS');
    expect(first.runningAt).toBe(100);
    const second = jobReducer(
      first,
      { type: 'answer', snapshot: job('IN_PROGRESS', { output: 'half' }) },
      { now: 200, maybeReceived: true },
    );
    expect(second.runningAt).toBe(100);
  });
});

test('S7 an equal answer keeps the snapshot', () => {
  const again = jobReducer(
    states.queued,
    { type: 'answer', snapshot: job('IN_QUEUE') },
    { now: 100, maybeReceived: true },
  );
  expect(again.snapshot).toBe(states.queued.snapshot);
});

describe('what a step keeps, and what it changes', () => {
  const step = (state: JobState, action: JobAction, maybeReceived = true): JobState =>
    jobReducer(state, action, { now: 100, maybeReceived });
  const owner = viewer('viewer');

  test('the first viewer starts the clock; later viewers do not', () => {
    const first = step(states['not begun'], { type: 'join', viewer: owner });
    expect(first).toMatchObject({
      startedAt: 100,
      joinedAt: 100,
      submission: 'preparing',
      owned: true,
      inGrace: false,
    });
    const second = step({ ...first, startedAt: 1, joinedAt: 2 }, { type: 'join', viewer: viewer('id-viewer') });
    expect(second).toMatchObject({ startedAt: 1, joinedAt: 2, submission: 'preparing', owned: true, inGrace: false });
  });

  test('an id-viewer owns nothing, and asks for no chunks', () => {
    const state = step(states['not begun'], { type: 'join', viewer: viewer('id-viewer') });
    expect(state).toMatchObject({ owned: false, stream: 'off' });
  });

  test('chunks are wanted from the first chunk-viewer on, unless all of them have come', () => {
    const join: JobAction = { type: 'join', viewer: viewer('chunk-viewer') };
    expect(step(states.queued, join).stream).toBe('wanted');
    expect(step({ ...states.queued, stream: 'drained' }, join).stream).toBe('drained');
    expect(step(states.queued, { type: 'join', viewer: owner }).stream).toBe('off');
  });

  test('a chunk-viewer of a job that is over and not drained is kept; any other viewer is not', () => {
    const over = states['completed, not drained'];
    expect(step(over, { type: 'join', viewer: viewer('chunk-viewer') }).viewers).toHaveLength(2);
    expect(step(over, { type: 'join', viewer: owner })).toBe(over);
    const drained: JobState = { ...over, stream: 'drained' };
    expect(step(drained, { type: 'join', viewer: viewer('chunk-viewer') })).toBe(drained);
  });

  test('a stream that failed is wanted no more; one that is drained stays so', () => {
    expect(after('streaming', 'streamFailed').stream).toBe('off');
    expect(step({ ...states.streaming, stream: 'drained' }, inputs.streamFailed).stream).toBe('drained');
    expect(after('queued', 'streamFailed').stream).toBe('off');
    expect(after('streaming', 'drained')).toMatchObject({ stream: 'drained', finished: true });
  });

  test('a viewer that has ended by itself, and is forgotten, changes nothing when it leaves', () => {
    const leave: JobAction = { type: 'leave', viewer: owner, notified: true };
    expect(step(states['in its grace'], leave)).toBe(states['in its grace']);
    expect(step({ ...states.queued, viewers: [owner] }, leave)).toMatchObject({ viewers: [], inGrace: true });
  });

  test('an id-viewer that leaves within the grace does not end it', () => {
    const idViewer = viewer('id-viewer');
    const state: JobState = { ...states['in its grace'], viewers: [idViewer] };
    expect(step(state, { type: 'leave', viewer: idViewer, notified: false }).inGrace).toBe(true);
  });

  test('of a job that was never submitted nothing is to be released', () => {
    const state: JobState = { ...states['not begun'], viewers: [owner] };
    expect(step(state, { type: 'leave', viewer: owner, notified: false }).inGrace).toBe(false);
  });

  test('a request is submitted only by a job that is preparing one', () => {
    expect(after('preparing', 'ready')).toMatchObject({ submission: 'submitting', request: inputs.ready.request });
    expect(after('not begun', 'ready')).toBe(states['not begun']);
    expect(after('queued', 'ready')).toBe(states.queued);
  });

  test('an answer to the submission gives the id, and what a cancel needs', () => {
    expect(after('sent and abandoned', 'submitted')).toMatchObject({
      submission: 'submitted',
      id: 'job-1',
      cancelRequested: 'cancel',
      finished: false,
    });
    const over = step(states['sent and abandoned'], { type: 'submitted', snapshot: job('COMPLETED', { output: 1 }) });
    expect(over).toMatchObject({ id: 'job-1', finished: true });
    expect(over.cancelRequested).toBeUndefined();
  });

  test('a submission that failed has nothing to cancel', () => {
    expect(after('sent and abandoned', 'failed')).toMatchObject({ submission: 'failed', error: inputs.failed.error });
    expect(after('sent and abandoned', 'failed').cancelRequested).toBeUndefined();
    expect(after('being cancelled', 'failed')).toMatchObject({ submission: 'submitted', cancelRequested: 'cancel' });
  });

  test('a withdrawn submission can begin again', () => {
    const withdrawn = after('being sent', 'graceOver', false);
    expect(withdrawn).toMatchObject({ submission: 'idle', viewers: [], inGrace: false });
    expect(withdrawn.request).toBeUndefined();
    expect(step(withdrawn, { type: 'join', viewer: owner }).submission).toBe('preparing');
  });

  test('a detached submission is not withdrawn', () => {
    const detached = step(states['being sent'], { type: 'detach' }, false);
    expect(detached).toMatchObject({ detached: true, policy: 'detach', viewers: [], submission: 'submitting' });
    expect(step(detached, { type: 'graceOver' }, false)).toMatchObject({ submission: 'submitting', request });
    expect(step(detached, { type: 'graceOver' }, false).cancelRequested).toBeUndefined();
  });

  test('a release keeps a cancel that is on its way, and asks for none that the policy or the end forbids', () => {
    const grace: JobState = { ...states['in its grace'], policy: 'cancel-if-queued' };
    expect(step(grace, { type: 'graceOver' })).toMatchObject({
      cancelRequested: 'cancel-if-queued',
      owned: false,
      inGrace: false,
    });
    expect(step({ ...grace, cancelRequested: 'cancel' }, { type: 'graceOver' }).cancelRequested).toBe('cancel');
    expect(step({ ...grace, finished: true }, { type: 'graceOver' }).cancelRequested).toBeUndefined();
    expect(step({ ...grace, policy: 'detach' }, { type: 'graceOver' }).cancelRequested).toBeUndefined();
  });

  test('a stop is noted in every stage, and ends every view', () => {
    for (const state of Object.keys(states) as StateName[])
      expect(after(state, 'stop')).toMatchObject({ stopped: true, viewers: [] });
    expect(after('preparing', 'stop', false)).toMatchObject({ stopped: true, error: inputs.stop.error });
    expect(after('completed', 'stop')).toMatchObject({ snapshot: { status: 'COMPLETED' }, inGrace: false });
  });

  test('cancel() ends a grace', () => {
    expect(after('in its grace', 'cancel')).toMatchObject({ inGrace: false, cancelRequested: 'cancel' });
  });

  test('a read that finds the job gone, or its output wrong, is final; any other is not', () => {
    const gone = new JobNotFoundError('gone', at);
    expect(step(states.queued, { type: 'readFailed', error: gone })).toMatchObject({ error: gone, viewers: [] });
    expect(after('queued', 'readFailed').error).toBeUndefined();
    const lookalike = Object.assign(new Error('no'), { code: 'job_not_found' });
    expect(step(states.queued, { type: 'readFailed', error: lookalike }).error).toBeUndefined();
  });

  test('a deadline that was cleared is past no more', () => {
    const cleared = step(states['past a deadline'], { type: 'deadlineCleared', snapshot: job('IN_PROGRESS') });
    expect(cleared).toMatchObject({ snapshot: { status: 'IN_PROGRESS' }, runningAt: 100 });
    expect(cleared.expiredDeadline).toBeUndefined();
  });

  test('a job that is finished for the stream is not cancelled at its deadline', () => {
    const finished: JobState = { ...states['past a deadline'], finished: true };
    expect(step(finished, inputs.expired)).toMatchObject({ error: inputs.expired.error, viewers: [] });
    expect(step(finished, inputs.expired).cancelRequested).toBeUndefined();
  });

  test('an answer of a terminal status is the end for the cancel, too', () => {
    expect(after('queued', 'answer COMPLETED').finished).toBe(true);
    expect(after('queued', 'answer IN_PROGRESS').finished).toBe(false);
    expect(step(states['over for the stream'], inputs['answer IN_PROGRESS']).finished).toBe(true);
    expect(after('failed for the client', 'answer COMPLETED')).toMatchObject({ finished: true, error: failure });
    expect(after('queued', 'finished').finished).toBe(true);
  });

  test('an event of the stream changes nothing', () => {
    expect(after('streaming', 'streamEvent')).toBe(states.streaming);
  });
});
