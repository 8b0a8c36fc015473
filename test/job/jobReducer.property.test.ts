import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  isEnded,
  isOver,
  isSubmitting,
  jobReducer,
  type JobAction,
  type JobState,
  type ViewerRole,
  type Viewer,
} from '../../src/job/jobReducer.js';
import { wantedEffects, type EffectName } from '../../src/job/jobEffects.js';
import type { JobTimeout, LeavePolicy } from '../../src/job/JobOptions.js';
import type { CancelOutcome } from '../../src/job/cancelUntilConfirmed.js';
import { isTerminal } from '../../src/protocol/snapshot.js';
import { job } from '../fixtures/snapshots.js';
import { seed } from '../support/seed.js';

const statuses = ['IN_QUEUE', 'IN_PROGRESS', 'UNKNOWN', 'COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'] as const;
const viewers = (['viewer', 'viewer', 'chunk-viewer', 'id-viewer'] satisfies ViewerRole[]).map((role): Viewer => ({
  role,
  notify: () => undefined,
}));
const viewer = fc.constantFrom(...viewers);
const error = fc.integer().map((nth) => new Error(`error ${nth}`));
const snapshot = fc
  .tuple(fc.constantFrom(...statuses), fc.nat(2))
  .map(([status, executionTime]) => job(status, { executionTime }));
const limit = fc.constantFrom<keyof JobTimeout>('queue', 'execution', 'total');

const settled: fc.Arbitrary<CancelOutcome> = fc.oneof(
  snapshot.map((one): CancelOutcome => ({
    outcome: isTerminal(one) && one.status !== 'CANCELLED' ? 'finished' : 'cancelled',
    snapshot: one,
  })),
  fc.record({ outcome: fc.constantFrom<CancelOutcome['outcome']>('cancelled', 'finished', 'abandoned'), error }),
);

const input: fc.Arbitrary<JobAction> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('join' as const),
      viewer,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('leave' as const),
      viewer,
      notified: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('ready' as const), request: fc.constant({ input: { a: 1 } }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('submitted' as const, 'answer' as const), snapshot }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom(
        'failed' as const,
        'readFailed' as const,
        'streamFailed' as const,
        'cancel' as const,
        'stop' as const,
        'expired' as const,
      ),
      error,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constantFrom('graceOver' as const, 'finished' as const, 'drained' as const, 'detach' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('deadline' as const), limit, error }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('cancelSettled' as const), result: settled }) },
);

/** Actions that come of an effect alone: they happen only while the effect goes on. Any other action can always happen. */
const effects: Partial<Record<JobAction['type'], EffectName>> = {
  ready: 'prepare',
  submitted: 'submit',
  graceOver: 'grace',
  cancelSettled: 'cancel',
  deadline: 'deadline',
  expired: 'expire',
  readFailed: 'watch',
  streamFailed: 'stream',
  drained: 'stream',
};

const timeout: JobTimeout = { queue: 50, total: 100, execution: 20 };

const steps = fc.array(fc.record({ input, after: fc.nat(40), sent: fc.boolean() }), { maxLength: 40 });
const begin = fc.record({
  attached: fc.boolean(),
  policy: fc.constantFrom<LeavePolicy>('cancel', 'cancel-if-queued', 'detach'),
  keepsAll: fc.boolean(),
});

interface Turn {
  readonly before: JobState;
  readonly state: JobState;
  readonly input: JobAction;
  readonly wanted: ReturnType<typeof wantedEffects>;
}

/** Reduces those of the inputs that are possible, and returns each turn. */
function turns(
  { attached, policy, keepsAll }: { attached: boolean; policy: LeavePolicy; keepsAll: boolean },
  inputs: readonly { input: JobAction; after: number; sent: boolean }[],
): Turn[] {
  let state: JobState = {
    id: attached ? 'job' : undefined,
    submission: attached ? 'submitted' : 'idle',
    stream: 'off',
    viewers: [],
    policy,
  };
  let now = 0;
  let sent = false;
  const joined = new Set<Viewer>();
  const seen: Turn[] = [];
  for (const step of inputs) {
    now += step.after;
    const going = wantedEffects(state, { timeout, keepsAllChunks: keepsAll });
    sent = going.submit === true && (sent || step.sent);
    const input = possible(step.input, state, joined);
    if (!input) continue;
    const needed = effects[input.type];
    if (needed && going[needed] === false) continue;
    if (input.type === 'submitted' && !sent) continue;
    // A job is read by its id.
    if (['answer', 'finished'].includes(input.type) && state.id === undefined) continue;
    const before = state;
    state = jobReducer(before, input, { now, maybeReceived: sent });
    seen.push({ before, state, input, wanted: wantedEffects(state, { timeout, keepsAllChunks: keepsAll }) });
  }
  return seen;
}

/** An input as it can happen: no viewer joins twice or leaves without having joined, and only an ended view was notified. */
function possible(input: JobAction, state: JobState, joined: Set<Viewer>): JobAction | undefined {
  if (input.type !== 'join' && input.type !== 'leave') return input;
  const { viewer: one } = input;
  if ((input.type === 'join') === joined.has(one)) return undefined;
  if (input.type === 'join') {
    joined.add(one);
    return input;
  }
  joined.delete(one);
  return { ...input, notified: input.notified && (!state.viewers.includes(one) || isEnded(state, one.role)) };
}

/** Checks a property in each turn that it is about, and expects that there were enough of them. */
function holds(about: (turn: Turn) => boolean, property: (turn: Turn) => void): void {
  let met = 0;
  fc.assert(
    fc.property(begin, steps, (from, inputs) => {
      for (const turn of turns(from, inputs)) {
        if (!about(turn)) continue;
        met++;
        property(turn);
      }
    }),
    { seed, numRuns: 1_500 },
  );
  expect(met).toBeGreaterThan(15);
}

const ended = ({ snapshot: last }: JobState) => last !== undefined && isTerminal(last);
const owners = ({ viewers: all }: JobState) => all.filter(({ role }) => role !== 'id-viewer').length;

test('S18 a terminal snapshot is final, whatever happens after it', () => {
  holds(
    ({ before }) => ended(before),
    ({ before, state }) => {
      expect(state.snapshot).toBe(before.snapshot);
      expect(state.error).toBe(before.error);
    },
  );
});

test('an error is final, whatever happens after it', () => {
  holds(
    ({ before }) => before.error !== undefined,
    ({ before, state }) => {
      expect(state.error).toBe(before.error);
      expect(state.snapshot).toBe(before.snapshot);
    },
  );
});

test('S4 an id never changes, and nothing is submitted once there is one', () => {
  holds(
    ({ state }) => state.id !== undefined,
    ({ before, state, wanted }) => {
      if (before.id !== undefined) expect(state.id).toBe(before.id);
      expect(wanted).toMatchObject({ submit: false, prepare: false });
    },
  );
});

test('S1 nothing is submitted after an error', () => {
  holds(
    ({ state }) => state.error !== undefined && state.id === undefined,
    ({ wanted }) => {
      // A submission that was sent before is read to its end.
      if (!wanted.submit) expect(wanted.prepare).toBe(false);
    },
  );
});

test('a job that is known to be finished is cancelled by cancel() alone', () => {
  holds(
    ({ before, input: { type } }) => !!before.finished && type !== 'cancel' && before.cancelRequested === undefined,
    ({ state }) => {
      expect(state.cancelRequested).toBeUndefined();
    },
  );
});

test('S4 a job is cancelled only after a release, a cancel(), or a deadline; never because a read failed', () => {
  holds(
    ({ before, state }) => before.cancelRequested === undefined && state.cancelRequested !== undefined,
    ({ input: { type } }) => {
      expect(['graceOver', 'stop', 'cancel', 'deadline', 'expired']).toContain(type);
    },
  );
});

test('S4 a job with the policy detach is cancelled by cancel() and by deadlines alone', () => {
  holds(
    ({ before, state }) =>
      before.policy === 'detach' && before.cancelRequested === undefined && state.cancelRequested !== undefined,
    ({ input: { type } }) => {
      expect(['cancel', 'deadline', 'expired']).toContain(type);
    },
  );
});

test('S7 S13 a job is watched only while it has an owner, and is not over', () => {
  holds(
    ({ state }) => state.id !== undefined,
    ({ state, wanted }) => {
      if (!owners(state) || isOver(state)) expect(wanted.watch).toBe(false);
      else expect(wanted.watch || wanted.expire).toBe(true);
    },
  );
});

test('S14 the stream is read only after a chunk-viewer joined, while the job has an owner', () => {
  holds(
    ({ wanted }) => wanted.stream === true,
    ({ state }) => {
      expect(owners(state)).toBeGreaterThan(0);
      expect(state.stream).toBe('wanted');
    },
  );
});

test('S8 a job past a deadline is not watched, and has no other deadline', () => {
  holds(
    ({ wanted }) => wanted.expire === true,
    ({ wanted }) => {
      expect(wanted).toMatchObject({ watch: false, deadline: false });
    },
  );
});

test('S4 a grace begins only while the job has no owner and is not over', () => {
  holds(
    ({ before, wanted }) => wanted.grace === true && !before.inGrace,
    ({ state }) => {
      expect(owners(state)).toBe(0);
      expect(isOver(state)).toBe(false);
    },
  );
});

test('the viewers are exactly those that joined and have not ended', () => {
  holds(
    ({ input: { type } }) => type === 'join' || type === 'leave',
    ({ before, state, input: what }) => {
      if (what.type === 'join') {
        const told = before.error !== undefined || isEnded(before, what.viewer.role);
        expect(state.viewers.includes(what.viewer)).toBe(!told);
      } else if (what.type === 'leave') expect(state.viewers).not.toContain(what.viewer);
      for (const one of state.viewers)
        expect(before.viewers.includes(one) || (what.type === 'join' && what.viewer === one)).toBe(true);
    },
  );
});

test('S6 settled() does not wait for a job that has no id and is not being submitted', () => {
  holds(
    ({ state, input: { type } }) => state.id === undefined && !isSubmitting(state) && type !== 'join',
    ({ wanted, state }) => {
      if (!state.inGrace) expect(wanted.trackPending).toBe(false);
    },
  );
});
