import { NEVER, Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';
import { RateLimiter } from '../../src/http/RateLimiter.js';
import type { HeldJobs } from '../../src/polling/HeldJobs.js';
import { HeldReads } from '../../src/polling/HeldReads.js';
import { ReadSchedule } from '../../src/polling/ReadSchedule.js';
import type { Watcher } from '../../src/polling/Watcher.js';
import { timers } from '../job/support.js';
import { Machine } from '../support/Machine.js';
import { clock, demo, script, world, type Answer, type Script, type Sent, type World } from '../support/world.js';

const held = (sent: readonly Sent[]) => sent.filter(({ operation }) => operation === 'status-sync');
const timesOf = (sent: readonly Sent[]) => sent.map(({ at }) => at);
const idOf = (url: string) => /[^/?]+(?=$|\?)/.exec(new URL(url).pathname)![0];
const of = (sent: readonly Sent[], id: string) => sent.filter(({ url }) => idOf(url) === id);

const HOLD = 25_000;

/** The greatest pause between the end of a read and the next one. */
const longestPause = (reads: readonly { readonly at: number; readonly endedAt: number }[]) =>
  Math.max(...reads.slice(1).map(({ at }, nth) => at - reads[nth]!.endedAt));

describe("S23 the browser's bound: a transport that does not say that it multiplexes", () => {
  /** A service whose jobs run for ever and which holds answers, over such a transport. Each job is watched. */
  const browser = (multiplexes: boolean | 'unsaid', endpoints: readonly string[], jobs: readonly string[]) => {
    const made: Script = script(
      ({ operation, url }) => ({
        body: { id: idOf(url), status: 'IN_PROGRESS' },
        after: operation === 'status-sync' ? HOLD : 100,
      }),
      { multiplexes },
    );
    for (const name of endpoints) {
      for (const job of jobs) made.see(made.client.endpoint(name).watch(`${name}-${job}`, { longPoll: HOLD }));
    }
    return made;
  };

  const mostAtOnce = (sent: readonly Sent[]) =>
    Math.max(...held(sent).map(({ at }) => held(sent).filter((one) => one.at <= at && one.at + HOLD > at).length));

  test.each(['unsaid', false] as const)(
    '(%s) has two reads held at once at the most, of all endpoints together',
    (multiplexes) => {
      const made = browser(multiplexes, ['a', 'b', 'c'], ['1', '2']);
      made.until(300_000);
      expect(mostAtOnce(made.sent)).toBe(2);
      // The two places are nearly always in use.
      expect(held(made.sent).length).toBeGreaterThanOrEqual(20);
    },
  );

  test('S11 leaves no job unread for longer than a hold while others have the places', () => {
    const made = browser(false, ['a', 'b', 'c'], ['1', '2']);
    made.until(300_000);
    for (const name of ['a-1', 'a-2', 'b-1', 'b-2', 'c-1', 'c-2']) {
      const reads = of(made.sent, name).map(({ at, operation }) => ({
        at,
        endedAt: at + (operation === 'status' ? 100 : HOLD),
      }));
      expect(longestPause(reads)).toBeLessThanOrEqual(5_000);
      expect(reads.length).toBeGreaterThan(10);
    }
  });

  test('gives a place that becomes free to a job that waits, also of another endpoint', () => {
    const made = browser(false, ['a', 'b'], ['1', '2']);
    made.until(1_000);
    expect(held(made.sent).map(({ url }) => idOf(url))).toEqual(['a-1', 'a-2']);
    made.until(26_000);
    expect(held(made.sent).some(({ url }) => idOf(url).startsWith('b-'))).toBe(true);
  });

  test('gives a place to a job that waits as soon as its holder leaves', () => {
    const made = script(
      ({ operation, url }) => ({
        body: { id: idOf(url), status: 'IN_PROGRESS' },
        after: operation === 'status-sync' ? HOLD : 0,
      }),
      { multiplexes: false },
    );
    const [first] = ['a', 'b', 'c'].map((name) => made.see(made.client.endpoint(name).watch(name, { longPoll: HOLD })));
    made.until(10_000);
    expect(of(held(made.sent), 'c')).toEqual([]);
    first!.subscription.unsubscribe();
    made.until(10_001);
    expect(timesOf(of(held(made.sent), 'c'))).toEqual([10_000]);
  });

  test('does not bound one that multiplexes', () => {
    const made = browser(true, ['a', 'b', 'c'], ['1', '2', '3', '4']);
    made.until(60_000);
    expect(mostAtOnce(made.sent)).toBe(12);
  });

  test('S13 leaves no timer and no callback when nothing is watched any more', () => {
    const made: Script = script(
      ({ operation, url }) => ({
        body: { id: idOf(url), status: 'IN_PROGRESS' },
        after: operation === 'status' ? 0 : HOLD,
      }),
      { multiplexes: false, limits: { 'status-sync': { requests: 3, per: 10_000 } } },
    );
    const seen = Array.from({ length: 9 }, (_, nth) =>
      made.see(made.client.endpoint(`e${nth % 3}`).watch(`job-${nth}`, { longPoll: HOLD })),
    );
    made.until(40_000);
    for (const { subscription } of seen) subscription.unsubscribe();
    expect(timers(made)).toBe(0);
    const count = made.sent.length;
    made.until(400_000);
    expect(made.sent).toHaveLength(count);
  });
});

/** Jobs of which half take 20 s and half 600 s: sixteen of each are known, and two reads may be held. */
const bimodal = () => {
  const made = world(
    { latency: 50, endpoints: { demo: { ...demo, executionTimeout: 86_400_000, workers: { min: 50, max: 50 } } } },
    { limits: { 'status-sync': { concurrent: 2 } } },
  );
  for (let nth = 0; nth < 32; nth++) made.see(made.endpoint.runToEnd({ input: { ms: nth % 2 ? 600_000 : 20_000 } }));
  made.until(700_000);
  expect(made.emulator.jobs().every(({ status }) => status === 'COMPLETED')).toBe(true);
  /** Starts a job, and watches it. Returns its id. */
  const start = (ms: number) => {
    const run = made.see(made.endpoint.run({ input: { ms } }));
    made.until(made.scheduler.now() + 1_000);
    const { id } = run.values[0]!;
    return { id, seen: made.see(made.endpoint.watch(id, { longPoll: 60_000 })) };
  };
  return { ...made, start };
};

/** The held reads of a job: when they began and ended, and whether they were aborted. */
const holdsOf = ({ emulator }: Pick<World, 'emulator'>, id: string, since = 0) =>
  emulator
    .requests()
    .filter(({ operation, path, at }) => operation === 'status-sync' && path.includes(id) && at >= since)
    .map(({ at, endedAt, aborted }) => ({ at, endedAt, aborted: !!aborted }));

describe('where two kinds of jobs run, and fewer reads may be held than jobs run', () => {
  test('a job that may end soon takes the place of one that will not, and its end is noticed at once', () => {
    const made = bimodal();
    const long = [made.start(600_000), made.start(600_000)];
    made.until(740_000);
    for (const { id } of long) expect(holdsOf(made, id)).toHaveLength(1);
    const short = made.start(20_000);
    made.until(800_000);
    expect(holdsOf(made, short.id)).toHaveLength(1);
    const { endedAt } = made.emulator.jobs().find(({ id }) => id === short.id)!;
    expect(short.seen.ended! - endedAt!).toBeLessThanOrEqual(50);
    // One of them lost its place: once.
    const aborted = long.flatMap(({ id }) => holdsOf(made, id).filter((hold) => hold.aborted));
    expect(aborted).toHaveLength(1);
    // By then, the place is back.
    for (const { id } of long) expect(holdsOf(made, id, 760_000).length).toBeGreaterThan(0);
  });

  test('S11 the job that lost its place is read plainly, and no later than 30 s after', () => {
    const made = bimodal();
    const long = [made.start(600_000), made.start(600_000)];
    made.until(740_000);
    made.start(20_000);
    made.until(1_200_000);
    for (const { id } of long) {
      const reads = made.emulator
        .requests()
        .filter(({ operation, path }) => operation?.startsWith('status') && path.includes(id))
        .map(({ at, endedAt = Infinity }) => ({ at, endedAt }));
      expect(longestPause(reads)).toBeLessThanOrEqual(30_000);
    }
  });

  test('a caller that unsubscribes from a job while its held read is given up has it read no more', () => {
    const made = bimodal();
    const long = [made.start(600_000), made.start(600_000)];
    made.until(740_000);
    let leftAt = 0;
    made.client.activity$.subscribe(({ type, operation, jobId }) => {
      if (type !== 'abort' || operation !== 'status-sync' || leftAt) return;
      leftAt = made.scheduler.now();
      long.find(({ id }) => id === jobId)!.seen.subscription.unsubscribe();
    });
    made.start(20_000);
    made.until(900_000);
    expect(leftAt).toBeGreaterThan(740_000);
    const left = long.find(({ seen }) => seen.subscription.closed)!;
    const after = made.emulator.requests().filter(({ path, at }) => path.includes(left.id) && at >= leftAt);
    expect(after).toEqual([]);
    // The other one still has its reads held: no place is lost.
    const other = long.find(({ seen }) => !seen.subscription.closed)!;
    expect(holdsOf(made, other.id, 780_000).length).toBeGreaterThan(0);
  });
});

test('a caller that unsubscribes from the job that takes a place, while the other read is aborted, has it read no more', () => {
  const made = bimodal();
  const long = [made.start(600_000), made.start(600_000)];
  made.until(740_000);
  const short = made.start(20_000);
  let leftAt = 0;
  made.client.activity$.subscribe(({ type, operation }) => {
    if (type !== 'abort' || operation !== 'status-sync' || leftAt) return;
    leftAt = made.scheduler.now();
    short.seen.subscription.unsubscribe();
  });
  made.until(900_000);
  expect(leftAt).toBeGreaterThan(740_000);
  const after = made.emulator.requests().filter(({ path, at }) => path.includes(short.id) && at >= leftAt);
  expect(after).toEqual([]);
  for (const { id } of long) expect(holdsOf(made, id, 760_000).length).toBeGreaterThan(0);
});

test('S13 a callback that waits for a connection is forgotten', () => {
  const { scheduler } = clock();
  const connections = new RateLimiter({ concurrent: 1 }, scheduler, () => 0);
  const reads = new HeldReads({ scheduler, rateLimiter: undefined, connections, call: () => NEVER });
  const open = connections.run(NEVER, { urgent: false, onWait: () => undefined }).subscribe();
  const woken: string[] = [];
  const wakes = ['a', 'b'].map((name) => () => woken.push(name));
  for (const wake of wakes) expect(reads.freePlaces(wake)).toBe(0);
  reads.stopWaiting(wakes[0]!);
  open.unsubscribe();
  expect(woken).toEqual(['b']);
});

describe('jobs that have a place, and are not read yet', () => {
  const running = (url: string): Answer => ({ body: { id: idOf(url), status: 'IN_PROGRESS' } });

  test('are not read where the end of another has their watcher unsubscribe', () => {
    const { endpoint, sent, until, scheduler } = script(({ operation, url }) =>
      operation === 'status' ? running(url) : { body: { id: idOf(url), status: 'COMPLETED' } },
    );
    const first = endpoint.watch('a', { longPoll: HOLD });
    first.subscribe({
      complete: () => {
        other.unsubscribe();
      },
    });
    const other = endpoint.watch('b', { longPoll: HOLD }).subscribe();
    until(60_000);
    expect(held(sent).map(({ url }) => idOf(url))).toEqual(['a']);
    expect(of(sent, 'b')).toHaveLength(1);
    expect(timers({ scheduler })).toBe(0);
  });

  test('are read once where the end of another has them read anew', () => {
    const made = script(({ operation, url }) =>
      operation === 'status-sync' && url.includes('/a?')
        ? { body: { id: 'a', status: 'COMPLETED' } }
        : { body: { id: idOf(url), status: 'IN_PROGRESS' }, after: operation === 'status-sync' ? HOLD : 0 },
    );
    made.endpoint.watch('a', { longPoll: HOLD }).subscribe({
      complete: () => {
        made.see(made.endpoint.cancel('b'));
      },
    });
    const other = made.see(made.endpoint.watch('b', { longPoll: HOLD }));
    made.until(1_000);
    other.subscription.unsubscribe();
    // Nothing of it goes on.
    const open = of(made.sent, 'b').filter(
      ({ at, aborted, operation }) => operation === 'status-sync' && aborted === undefined && at + HOLD > 1_000,
    );
    expect(open).toEqual([]);
  });

  test('are read although the limits allow no plain read', () => {
    const notices$ = new Subject<unknown>();
    const made = script(
      ({ operation, url }) =>
        operation === 'status'
          ? running(url)
          : { body: { id: idOf(url), status: url.includes('/a?') ? 'COMPLETED' : 'IN_PROGRESS' }, after: 10_000 },
      { notices: notices$, limits: { status: { requests: 3, per: 60_000 }, 'status-sync': { concurrent: 1 } } },
    );
    // The place of a goes to b, which is to be read plainly before its read has begun. So c gets it.
    made.endpoint.watch('a', { longPoll: HOLD }).subscribe({
      complete: () => {
        notices$.next({ id: 'b' });
      },
    });
    made.see(made.endpoint.watch('b', { longPoll: HOLD }));
    made.see(made.endpoint.watch('c', { longPoll: HOLD }));
    made.until(30_000);
    expect(timesOf(of(held(made.sent), 'c'))).toEqual([10_000, 20_000, 30_000]);
  });

  test('S11 are held as soon as there is a place, though they are due and the limits allow no plain read', () => {
    const made = script(
      ({ operation, url }) =>
        operation === 'status'
          ? running(url)
          : { body: { id: idOf(url), status: url.includes('/a?') ? 'COMPLETED' : 'IN_PROGRESS' }, after: 20_000 },
      { limits: { status: { requests: 2, per: 60_000 }, 'status-sync': { concurrent: 1 } } },
    );
    for (const name of ['a', 'b']) made.see(made.endpoint.watch(name, { longPoll: HOLD }));
    made.until(30_000);
    expect(timesOf(of(held(made.sent), 'b'))).toEqual([20_000]);
  });
});

describe('S11 a job that is due while others have ended more probably', () => {
  test('is read 30 s after the last answer at the latest', () => {
    const { scheduler, until } = clock();
    const heldJobs = { reserved: [], has: () => false, leave: () => undefined, isWorthRead: () => false };
    const schedule = new ReadSchedule({
      scheduler,
      rateLimiter: undefined,
      heldJobs: heldJobs as unknown as HeldJobs<Watcher>,
      probe: () => undefined,
    });
    const reads: number[] = [];
    const job = { read: () => reads.push(scheduler.now()) };
    // Fractions of a millisecond that do not add up exactly.
    const watcher = { job, answeredAt: 0.1, dueAt: Infinity, turn: 0, place: -1 } as unknown as Watcher;
    schedule.readAt(watcher, 29_900.7);
    until(100_000);
    expect(reads).toEqual([30_000.1]);
  });
});

describe('S9 a machine that sleeps while a read is held', () => {
  test('reads the job when it wakes, and has reads held as before: that was no silence of the service', () => {
    const { scheduler, until } = clock();
    const machine = new Machine(scheduler);
    const emulator = createEmulator({
      endpoints: { demo: { ...demo, executionTimeout: 86_400_000 } },
      seed: 1,
      latency: 50,
      scheduler,
    });
    const transport = machine.transport(emulator.transport);
    transport.multiplexes = true;
    const client = createRunpod({ transport, scheduler: machine.scheduler, apiKey: 'key', random: () => 0.5 });
    client
      .endpoint('demo')
      .runToEnd({ input: { ms: 3_600_000 } })
      .subscribe();
    until(40_000);
    machine.sleep(300_000);
    until(400_000);
    const reads = emulator.requests().filter(({ operation }) => operation?.startsWith('status'));
    expect(reads.some(({ at }) => at >= 340_000 && at < 340_100)).toBe(true);
    const since = reads.filter(({ at }) => at >= 340_000);
    expect(since.filter(({ operation }) => operation === 'status').length).toBeLessThanOrEqual(1);
    expect(since.filter(({ operation }) => operation === 'status-sync').length).toBeGreaterThanOrEqual(2);
  });
});
