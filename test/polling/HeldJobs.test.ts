import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { HeldJobs, ORDER_AGE, type HoldableJob } from '../../src/polling/HeldJobs.js';
import { clock } from '../support/world.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void; // there since the flag was set

interface TestJob extends HoldableJob {
  readonly name: string;
  dueAt: number;
  awaitingRead: boolean;
}

/** A job that has run for so long at the start; it was read just now. */
const job = (name: string, ranFor = 0): TestJob => ({
  name,
  runningSince: -ranFor,
  answeredAt: 0,
  dueAt: 0,
  awaitingRead: false,
});

const namesOf = (jobs: readonly TestJob[]) => jobs.map(({ name }) => name);

interface Facts {
  /** How many reads may be held, and how many may be sent now. */
  places: number;
  free: number;
  works: boolean;
  known: boolean;
  /** How many jobs end in a millisecond. */
  rate: number;
  plainRate: number;
}

/** Places for jobs, where a job is the likelier to end the longer it has run, unless the test says otherwise. */
function holding(given: Partial<Facts> = {}, chanceToEnd = (elapsed: number, _within: number) => elapsed / 1e6) {
  const { scheduler, until } = clock();
  const facts: Facts = { places: 2, free: Infinity, works: true, known: true, rate: 1, plainRate: 0.004, ...given };
  const wakes = new Set<() => void>();
  const held: TestJob[] = [];
  const givenUp: TestJob[] = [];
  const jobs = new HeldJobs<TestJob>({
    scheduler,
    reads: {
      get works() {
        return facts.works;
      },
      get places() {
        return facts.places;
      },
      freePlaces: (wake) => {
        if (facts.free <= 0 && wake) wakes.add(wake);
        return facts.free;
      },
      stopWaiting: (wake) => wakes.delete(wake),
    },
    executions: {
      get known() {
        return facts.known;
      },
      get rate() {
        return facts.rate;
      },
      chanceToEnd,
    },
    plainRate: () => facts.plainRate,
    host: {
      holdNow: (one) => held.push(one),
      giveUpHold: (one) => givenUp.push(one),
    },
  });
  /** Gives each job a place, as far as there are some, and starts its read. Returns the names of those that have one. */
  const takeAll = (...some: readonly TestJob[]) => {
    const taken = some.filter((one) => jobs.take(one));
    for (const one of taken) {
      jobs.start(one);
      one.awaitingRead = true;
    }
    return namesOf(taken);
  };
  return {
    jobs,
    facts,
    wakes,
    until,
    takeAll,
    held: () => namesOf(held.splice(0)),
    givenUp: () => namesOf(givenUp.splice(0)),
  };
}

describe('places for held reads', () => {
  test('go to the jobs that come first, as many as there are', () => {
    const { jobs, takeAll } = holding();
    expect(takeAll(job('a'), job('b'), job('c'))).toEqual(['a', 'b']);
    expect(jobs.size).toBe(2);
  });

  test('are kept by a job that asks again', () => {
    const { jobs, takeAll } = holding({ places: 1 });
    const a = job('a');
    takeAll(a);
    expect([jobs.take(a), jobs.size, jobs.isReserved(a)]).toEqual([true, 1, false]);
  });

  test('are as many as the requests that may be sent now, less those of jobs whose read has not started', () => {
    const { jobs } = holding({ places: 10, free: 2 });
    expect([job('a'), job('b'), job('c')].map((one) => jobs.take(one))).toEqual([true, true, false]);
    expect(namesOf(jobs.reserved)).toEqual(['a', 'b']);
  });

  test('that become free go to the job that waits and is likeliest to end', () => {
    const { jobs, takeAll, held, until } = holding({ places: 1 });
    const first = job('first', 9_000);
    takeAll(first);
    for (const one of [job('young', 1_000), job('old', 5_000), job('middle', 3_000)]) jobs.take(one);
    until(ORDER_AGE);
    jobs.leave(first);
    expect(held()).toEqual(['old']);
    expect(jobs.size).toBe(1);
  });

  test('go to the job that has run longest, where execution times are not known', () => {
    const { jobs, takeAll, held } = holding({ places: 1, known: false }, () => NaN);
    const first = job('first');
    takeAll(first);
    for (const one of [job('young', 1_000), job('old', 5_000), job('middle', 3_000)]) jobs.take(one);
    jobs.leave(first);
    expect(held()).toEqual(['old']);
  });

  test('go to a job that came after the last ordering too', () => {
    const { jobs, takeAll, held } = holding({ places: 1 });
    const [first, second] = [job('first'), job('second', 10)];
    takeAll(first);
    jobs.take(second);
    jobs.leave(first);
    expect(held()).toEqual(['second']);
    jobs.take(job('late'));
    jobs.leave(second);
    expect(held()).toEqual(['late']);
  });

  test('do not go to a job that is being read: it asks again after its answer', () => {
    const { jobs, takeAll, held } = holding({ places: 1 });
    const first = job('first');
    const [read, idle] = [{ ...job('read', 9_000), awaitingRead: true }, job('idle')];
    takeAll(first);
    jobs.take(read);
    jobs.take(idle);
    jobs.leave(first);
    expect(held()).toEqual(['idle']);
  });

  test('do not go to a job that has left', () => {
    const { jobs, takeAll, held } = holding({ places: 1 });
    const [first, gone] = [job('first'), job('gone')];
    takeAll(first);
    jobs.take(gone);
    jobs.leave(gone);
    jobs.leave(first);
    expect(held()).toEqual([]);
    expect(jobs.size).toBe(0);
  });

  test('are waited for by nobody where there are none', () => {
    const { jobs, facts, held, wakes } = holding({ places: 0 });
    expect(jobs.take(job('a'))).toBe(false);
    facts.places = 2;
    const other = job('b');
    jobs.take(other);
    jobs.leave(other);
    expect(held()).toEqual([]);
    expect(wakes.size).toBe(0);
  });

  test('are filled when the limiter says that requests may be sent again', () => {
    const { jobs, facts, wakes, held } = holding({ places: 5, free: 0 });
    for (const one of [job('a', 3_000), job('b', 2_000), job('c', 1_000)]) jobs.take(one);
    expect(wakes.size).toBe(1);
    facts.free = 2;
    for (const wake of wakes) wake();
    expect(held()).toEqual(['a', 'b']);
  });

  test('S13 are waited for by no callback once no job waits', () => {
    const { jobs, wakes } = holding({ places: 5, free: 0 });
    const [a, b] = [job('a'), job('b')];
    jobs.take(a);
    jobs.take(b);
    jobs.leave(a);
    expect(wakes.size).toBe(1);
    jobs.leave(b);
    expect(wakes.size).toBe(0);
  });

  test('keep no job in memory that has left', async () => {
    const { jobs, takeAll, held } = holding({ places: 3 });
    const stays = job('stays');
    takeAll(stays);
    const left = Array.from({ length: 20 }, (_, nth) => {
      const one = job(`${nth}`, nth);
      jobs.take(one);
      return new WeakRef(one);
    });
    for (const one of left) jobs.leave(one.deref()!);
    expect(jobs.size).toBe(1);
    held();
    // A `WeakRef` that was read keeps its target until the turn is over.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(left.filter((one) => one.deref())).toHaveLength(0);
  });

  test('are in use while reads are shown to be held, and some are', () => {
    const { jobs, facts, takeAll } = holding();
    expect(jobs.areInUse).toBe(false);
    takeAll(job('a'));
    expect(jobs.areInUse).toBe(true);
    facts.works = false;
    expect(jobs.areInUse).toBe(false);
  });
});

describe('a place is taken from a job', () => {
  /** One place, held for so long by a job that had run for a second. Another, that has run for so long, asks for it. */
  const ask = (ranFor: number, heldFor: number, given: Partial<Facts> = {}) => {
    const made = holding({ places: 1, ...given });
    made.takeAll(job('first', 1_000));
    made.until(heldFor);
    const other = { ...job('other', ranFor - heldFor), answeredAt: heldFor };
    const taken = made.jobs.take(other);
    return { ...made, other, taken, lost: made.givenUp() };
  };

  test('for another that is three times as likely to end', () => {
    // The first has run for two seconds by then.
    const { taken, lost, jobs, other } = ask(6_000, 1_000);
    expect([taken, lost, jobs.size]).toEqual([true, ['first'], 1]);
    expect(jobs.isReserved(other)).toBe(true);
  });

  test('and not for another that is less than three times as likely', () => {
    expect(ask(5_999, 1_000)).toMatchObject({ taken: false, lost: [] });
  });

  test('and not until reads were shown to be held: the first ones are to show it', () => {
    expect(ask(6_000, 1_000, { works: false })).toMatchObject({ taken: false, lost: [] });
  });

  test('and not within a second', () => {
    expect(ask(60_000, 999)).toMatchObject({ taken: false, lost: [] });
  });

  test('and not where execution times are not known', () => {
    expect(ask(60_000, 5_000, { known: false })).toMatchObject({ taken: false, lost: [] });
  });

  test('and not while places are empty because of the rate of requests: it would cost one more', () => {
    const { jobs, facts, takeAll, until, givenUp } = holding({ places: 2 });
    takeAll(job('first'));
    until(5_000);
    facts.free = 0;
    expect([jobs.take(job('other', 60_000)), givenUp()]).toEqual([false, []]);
  });

  test('and not where neither will end soon', () => {
    const { jobs, takeAll, until, givenUp } = holding({ places: 1 }, () => 0);
    takeAll(job('first'));
    until(5_000);
    expect([jobs.take(job('other')), givenUp()]).toEqual([false, []]);
  });

  test('that is the least likely to end of all that are held', () => {
    const { jobs, takeAll, until, givenUp } = holding({ places: 3 });
    takeAll(job('a', 9_000), job('b', 100), job('c', 5_000));
    until(1_000);
    expect(jobs.take({ ...job('other', 60_000), answeredAt: 1_000 })).toBe(true);
    expect(givenUp()).toEqual(['b']);
  });

  test('one job after the other, within one ordering', () => {
    const { jobs, takeAll, until, givenUp } = holding({ places: 2 });
    takeAll(job('a', 9_000), job('b', 100));
    until(1_000);
    for (const name of ['x', 'y']) expect(jobs.take({ ...job(name, 90_000), answeredAt: 1_000 })).toBe(true);
    expect(givenUp()).toEqual(['b', 'a']);
  });
});

describe('the chance of a job', () => {
  /** What the execution times are asked for, when a second job asks for the place of the first. */
  const asked = (given: Partial<Facts>) => {
    const calls: [elapsed: number, within: number][] = [];
    const { jobs, takeAll, until } = holding({ places: 1, rate: 0.0001, ...given }, (...call) => {
      calls.push(call);
      return 0;
    });
    takeAll(job('held', 2_000));
    until(5_000);
    jobs.take({ ...job('waits', 1_000), answeredAt: 4_000 });
    return calls;
  };

  test('counts from now on for one that is held, since its end would be known, and from the last answer for another', () => {
    const calls = asked({});
    expect(calls).toContainEqual([7_000, 10_000]);
    expect(calls).toContainEqual([5_000, 11_000]);
  });

  test.each([
    [1, 1_000],
    [0.0001, 10_000],
    [0.000001, 30_000],
    [0, 30_000],
  ])(
    'is that of the time in which as many end as are held, within bounds: at %d ends a millisecond, %d ms',
    (rate, ms) => {
      expect(asked({ rate })).toContainEqual([7_000, ms]);
    },
  );
});

describe('a plain read', () => {
  /** One place that is held, and jobs that wait for one. */
  const waiting = (given: Partial<Facts>, ...some: readonly TestJob[]) => {
    const made = holding({ places: 1, ...given });
    made.takeAll(job('held'));
    for (const one of some) made.jobs.take(one);
    // By then the order is made anew.
    made.until(ORDER_AGE);
    return { ...made, worth: () => namesOf(some.filter((one) => made.jobs.isWorthRead(one))) };
  };

  const three = () => [job('young', 1_000), job('old', 9_000), job('middle', 5_000)];

  test('is for those that have most probably ended, as many as can be read until the order is made anew', () => {
    const { worth, until } = waiting({ plainRate: 2 / ORDER_AGE }, ...three());
    expect(worth()).toEqual(['old', 'middle']);
    expect(worth()).toEqual([]);
    until(2 * ORDER_AGE);
    expect(worth()).toEqual(['old', 'middle']);
  });

  test('is for one of them at least, and for all where there are no limits', () => {
    expect(waiting({ plainRate: 1e-9 }, ...three()).worth()).toEqual(['old']);
    expect(waiting({ plainRate: Infinity }, ...three()).worth()).toHaveLength(3);
  });

  test('is not for one that is not due soon', () => {
    const [young, old, middle] = three();
    old!.dueAt = 2 * ORDER_AGE + 1;
    expect(waiting({ plainRate: 2 / ORDER_AGE }, young!, old!, middle!).worth()).toEqual(['young', 'middle']);
  });

  test.each<[string, Partial<Facts>]>([
    ['until reads were shown to be held', { works: false }],
    ['until execution times are known', { known: false }],
  ])('is for all %s', (_, given) => {
    expect(waiting({ plainRate: 1e-9, ...given }, ...three()).worth()).toHaveLength(3);
  });

  test('is for every job that does not wait for a place', () => {
    const { jobs } = waiting({ plainRate: 1e-9 }, ...three());
    expect(jobs.isWorthRead(job('other'))).toBe(true);
  });
});
