import fc from 'fast-check';
import type { GapPolicy, LeavePolicy, Limits } from 'runpod-rx';
import { hostileNames, pages, type PageName } from '../../support/hostile.js';
import type { MachineEvent } from '../../support/Machine.js';

/** A job that takes this long is over only when it is cancelled or expires. */
const FOREVER = 100_000_000;

const HOUR = 3_600_000;

/** By when the last subscriber has unsubscribed where no machine sleeps, in milliseconds of virtual time. */
const END = 240_000;

const upTo = (max: number) => fc.integer({ min: 0, max });

/** Soon, or at any time; often at the same moments, so that events coincide. */
const moment = (max: number) =>
  fc.oneof(
    upTo(200),
    upTo(max),
    fc.integer({ min: 0, max: max / 500 }).map((n) => n * 500),
  );

/** Present in one of `n` cases. */
const maybe = <T>(value: fc.Arbitrary<T>, cases = 3) =>
  fc.oneof({ weight: cases - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

/** How a worker handles a job, and how long the service keeps the job. */
const work = fc.record({
  takes: fc.oneof(
    { weight: 2, arbitrary: upTo(2_000) },
    { weight: 4, arbitrary: upTo(60_000) },
    { weight: 2, arbitrary: fc.constant(FOREVER) },
  ),
  /** How many chunks the job yields; without any it returns a value. */
  chunks: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.integer({ min: 1, max: 6 }) }),
  /** How many chunks come at once, so that one answer has several. */
  burst: fc.constantFrom(1, 1, 2, 3),
  progress: upTo(2),
  fails: fc.constantFrom(false, false, false, true),
  ttl: maybe(fc.integer({ min: 10_000, max: 40_000 }), 5),
  /** A text that is made to cost much, in all that the worker writes: its error, output, progress and chunks. */
  hostile: maybe(fc.record({ name: fc.constantFrom(...hostileNames), size: fc.constantFrom(30, 300, 5_000) }), 4),
});

const options = fc.record({
  onUnsubscribe: fc.constantFrom<LeavePolicy | undefined>(
    undefined,
    undefined,
    'cancel',
    'cancel',
    'cancel-if-queued',
    'detach',
  ),
  grace: fc.constantFrom(undefined, undefined, 0, 1_000, 10_000),
  timeout: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: moment(60_000).map((total) => ({ total })) },
    { weight: 1, arbitrary: moment(30_000).map((queue) => ({ queue })) },
    { weight: 1, arbitrary: moment(30_000).map((execution) => ({ execution })) },
  ),
  settle: fc.constantFrom(undefined, undefined, 0, 1_000),
  every: fc.constantFrom(undefined, undefined, 300, 1_000, 5_000),
  outage: fc.constantFrom(undefined, 2_000, 20_000),
  stream: fc.boolean(),
  onGap: fc.constantFrom<GapPolicy | undefined>(undefined, 'hold', 'mark', 'error'),
  replayChunks: fc.constantFrom<'all' | number | undefined>(undefined, 'all', 0, 2),
  /** When its signal is aborted. */
  abortAt: maybe(moment(60_000), 7),
  /** How long `beforeSubmit` takes. */
  prepares: fc.constantFrom(undefined, undefined, 0, 700),
});
export type Options = typeof options extends fc.Arbitrary<infer T> ? T : never;

/** The views of a job, and how they are subscribed to. */
export const roles = {
  events$: 'owner',
  state$: 'owner',
  progress$: 'owner',
  chunks$: 'owner',
  output$: 'owner',
  id$: 'starter',
  diagnosis$: 'watcher',
} as const;
export type ViewName = keyof typeof roles;

/** Which of the `Job` objects of one planned job is meant, counted from the newest. */
const nth = fc.constantFrom(0, 0, 0, 1, 2);

const look = (at: fc.Arbitrary<number>) =>
  fc.record({
    do: fc.constant('look' as const),
    at,
    nth,
    view: fc.constantFrom<ViewName>(
      ...([
        'output$',
        'output$',
        'state$',
        'events$',
        'events$',
        'chunks$',
        'chunks$',
        'chunks$',
        'chunks$',
        'progress$',
        'id$',
        'diagnosis$',
      ] as const),
    ),
    /** Unsubscribes after a time, or after a number of values; otherwise stays. */
    leaves: maybe(
      fc.oneof(fc.record({ after: moment(60_000) }), fc.record({ values: fc.integer({ min: 1, max: 4 }) })),
      2,
    ),
    /** Subscribes again after an error: how often, and after how long; 0 is a bare `retry()`. */
    retries: maybe(fc.record({ count: fc.integer({ min: 1, max: 3 }), after: fc.constantFrom(0, 0, 700, 20_000) }), 2),
  });

const act = fc.oneof(
  { weight: 6, arbitrary: look(moment(90_000)) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), at: moment(60_000), nth }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('detach' as const), at: moment(60_000), nth }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('attach' as const),
      at: moment(90_000),
      nth,
      by: fc.constantFrom('ref', 'id'),
      /** With another client, as in another process. */
      elsewhere: fc.boolean(),
      /** How far the clock of the machine is ahead that made the reference. */
      skew: fc.constantFrom(0, 0, 0, 20_000, -20_000, HOUR, -HOUR),
      options,
    }),
  },
);
export type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

const jobPlan = fc.record({
  work,
  options,
  acts: fc.tuple(look(moment(3_000)), fc.array(act, { maxLength: 5 })).map(([first, rest]): Act[] => [first, ...rest]),
});
export type JobPlan = typeof jobPlan extends fc.Arbitrary<infer T> ? T : never;

const often = fc.constantFrom(0, 0, 0.05, 0.2);

/** How likely each fault is for a request or a job. */
const faults = fc.record({
  run: fc.record({
    'empty-429': often,
    'connection-refused': often,
    'reset-before': often,
    'reset-after': often,
    'empty-502': often,
    'truncated-answer': often,
    'bare-error': often,
    'no-answer': fc.constantFrom(0, 0, 0.1),
    'slow-answer': often,
  }),
  read: fc.record({
    'empty-429': often,
    'connection-refused': often,
    'reset-before': often,
    'reset-after': often,
    'html-502': often,
    'truncated-answer': often,
    'bare-error': often,
    'no-answer': fc.constantFrom(0, 0, 0.05),
    'slow-answer': often,
    'dropped-stream': often,
  }),
  cancel: fc.record({
    'empty-429': often,
    'connection-refused': often,
    'reset-before': often,
    'reset-after': often,
    'empty-502': often,
    'truncated-answer': often,
    'no-answer': fc.constantFrom(0, 0, 0.1),
    'slow-answer': often,
  }),
  job: fc.record({
    'transient-404': fc.constantFrom(0, 0, 0.3),
    'lost-worker': fc.constantFrom(0, 0, 0.1),
    'json-error': often,
    'no-output': often,
    'late-progress': fc.constantFrom(0, 0.2, 0.5),
  }),
  lag: fc.constantFrom(2_000, 6_000, 15_000),
  late: fc.record({ after: fc.constantFrom(0, 300, 3_000), for: maybe(fc.constantFrom(1_000, 10_000), 3) }),
  unknown: fc.constantFrom(0, 0, 0.1, 0.5),
});

/** Pages of gateways in place of answers. */
const anyPageName = fc.constantFrom(...(Object.keys(pages) as PageName[]));

/** How likely a page of a gateway, or an answer about another job, stands in place of an answer. */
const gateway = fc.record({
  pages: fc.record({ run: often, status: often, stream: often, cancel: often }),
  foreign: fc.record({ status: often, stream: often, cancel: often }),
});

const server = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  latency: fc.constantFrom(0, 0, 300, 4_000),
  workers: fc.constantFrom(0, 1, 3, 3),
  coldStart: fc.constantFrom(0, 2_000),
  aggregate: fc.boolean(),
  /** How long a result is kept. */
  retention: fc.constantFrom(1_800_000, 1_800_000, 20_000),
  variants: fc.record({
    expired: fc.constantFrom('gone' as const, 'timed-out' as const),
    cancelEnded: fc.constantFrom('state' as const, 'not-found' as const),
    cancelled: fc.constantFrom('bare' as const, 'full' as const),
    streamed: fc.constantFrom('empty' as const, 'absent' as const),
  }),
  limits: fc.constantFrom<'documented' | Limits>('documented', 'documented', {
    run: { requests: 2, per: 3_000, concurrent: 1 },
    status: { requests: 6, per: 3_000, concurrent: 2 },
    stream: { requests: 6, per: 3_000, concurrent: 2 },
    cancel: { requests: 2, per: 2_000, concurrent: 1 },
  }),
  faults: fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 2, arbitrary: faults }),
  gateway: maybe(gateway, 3),
  /** A time in which every request fails in the same way. */
  outage: maybe(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          from: moment(60_000),
          for: fc.integer({ min: 1_000, max: 90_000 }),
          how: fc.constantFrom('refused' as const, 'reset' as const, '502' as const, '429' as const),
        }),
      },
      // A page that stands for minutes may be believed.
      {
        weight: 1,
        arbitrary: fc.record({
          from: moment(60_000),
          for: fc.integer({ min: 1_000, max: 240_000 }),
          how: anyPageName,
        }),
      },
    ),
    3,
  ),
});

const ofMachine = fc.oneof(
  {
    weight: 1,
    arbitrary: fc
      .oneof(fc.constantFrom(HOUR, -HOUR, 3 * HOUR, -3 * HOUR), fc.integer({ min: -60_000, max: 60_000 }))
      .map((by): MachineEvent => ({ type: 'step', by })),
  },
  {
    weight: 1,
    arbitrary: fc
      .oneof(upTo(5_000), upTo(60_000), fc.constantFrom(60_000, 700_000, 2 * HOUR))
      .map((ms): MachineEvent => ({ type: 'sleep', for: ms })),
  },
);

/** What befalls a machine, and when. */
interface TimedEvent {
  readonly at: number;
  readonly event: MachineEvent;
}

const timedEvent: fc.Arbitrary<TimedEvent> = fc.record({ at: moment(120_000), event: ofMachine });
const noEvents: fc.Arbitrary<TimedEvent[]> = fc.constant([]);

/** The machine of a client, what its wall clock says, and what befalls it. */
const machine = fc.record({
  wallOffset: fc.constantFrom(0, 0, 15_000, -15_000, 2 * HOUR, -2 * HOUR),
  events: fc.oneof(
    { weight: 3, arbitrary: noEvents },
    { weight: 1, arbitrary: fc.array(timedEvent, { minLength: 1, maxLength: 3 }) },
  ),
});

/** All that determines one run: what the server does, and what the subscribers do. */
export const history = fc.record({
  server,
  /** One for each client. */
  machines: fc.tuple(machine, machine),
  jobs: fc.array(jobPlan, { minLength: 1, maxLength: 3 }),
  /** When the client is closed. Otherwise all subscribers unsubscribe at the end, and `settled()` is called. */
  closeAt: maybe(moment(90_000), 7),
});
export type History = typeof history extends fc.Arbitrary<infer T> ? T : never;

/** By when the last subscriber of a client has unsubscribed: its machine does not sleep then. */
export function endOf({ machines }: History, client: 0 | 1): number {
  let end = END;
  for (const { event } of machines[client].events) if (event.type === 'sleep') end += event.for;
  return end;
}
