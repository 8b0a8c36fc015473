import { describe, expect, test } from 'vitest';
import { nextReadAt, type ReadFacts } from '../../src/polling/nextReadAt.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import type { PollContext } from '../../src/types/PollPolicy.js';

const NOW = 100_000;

/** Execution times of which nothing is known. */
const unknown: ReadFacts['executions'] = { known: false, plainRate: 0, remainingTime: () => undefined };

/** Execution times by which a job runs for so much longer. */
const known = (remaining: number | undefined, plainRate = 0): ReadFacts['executions'] => ({
  known: true,
  plainRate,
  remainingTime: () => remaining,
});

/** A job of 40 s that has run for 30 s, watched for all its snapshots, without limits. */
const facts = (changes: Partial<ReadFacts> = {}): ReadFacts => ({
  now: NOW,
  age: 40_000,
  runningSince: NOW - 30_000,
  failures: 0,
  snapshot: undefined,
  endOnly: false,
  besideHeld: false,
  endsAreNoticed: false,
  isFollowed: false,
  readAt: NOW,
  ownPolicy: undefined,
  defaultPolicy: () => 2_000,
  executions: unknown,
  rate: Infinity,
  jobsToRead: 10,
  context: { operation: 'status', endpointId: 'demo', jobId: 'job' },
  ...changes,
});

const delayOf = (changes: Partial<ReadFacts>) => nextReadAt(facts(changes)) - NOW;

describe('nextReadAt', () => {
  test.each<[title: string, changes: Partial<ReadFacts>, delay: number]>([
    ['at the pace of the default policy', {}, 2_000],
    ['at the pace of the own policy', { ownPolicy: () => 7_000 }, 7_000],
    [
      'each half a minute while notices tell of every end, for its end',
      { endsAreNoticed: true, endOnly: true },
      30_000,
    ],
    ['half a minute after the last read, where it is followed', { isFollowed: true, readAt: NOW - 10_000 }, 20_000],
    ['at once, where it is followed and that is long past', { isFollowed: true, readAt: NOW - 40_000 }, 0],
    ['by the policy after a failure, though it is followed', { isFollowed: true, failures: 1 }, 2_000],
    ['at the pace of the policy, for all snapshots', { endsAreNoticed: true }, 2_000],
    ['by the policy after a failure, whatever is noticed', { endsAreNoticed: true, endOnly: true, failures: 1 }, 2_000],
    ['by the own policy, whatever is noticed', { endsAreNoticed: true, endOnly: true, ownPolicy: () => 7_000 }, 7_000],
    ['a second later where a policy gives no delay that makes sense', { ownPolicy: () => -1 }, 1_000],
    ['within what a timer can do, whatever a policy gives', { ownPolicy: () => 1e12 }, 2 ** 31 - 1],
    ['whatever the execution times, where all snapshots are wanted', { executions: known(5_000) }, 2_000],
    ['whatever the limits, where all snapshots are wanted', { rate: 0.001, jobsToRead: 50 }, 2_000],
    ['when it has probably ended, for its end', { endOnly: true, executions: known(5_000) }, 5_000],
    ['no sooner than 250 ms after an answer, for its end', { endOnly: true, executions: known(249) }, 250],
    ['when it has probably ended, if later than 250 ms', { endOnly: true, executions: known(251) }, 251],
    ['by the policy after a failure', { endOnly: true, failures: 1, executions: known(5_000) }, 2_000],
    ['by the policy where the end cannot be estimated', { endOnly: true, executions: known(undefined) }, 2_000],
    ['as the limits allow for all jobs together, for its end', { endOnly: true, rate: 0.01, jobsToRead: 300 }, 30_000],
    ['by the policy where the limits allow more', { endOnly: true, rate: 0.01, jobsToRead: 15 }, 2_000],
  ])('reads %s', (_, changes, delay) => {
    expect(delayOf(changes)).toBe(delay);
  });

  test('beside held reads, which find most ends, a job is read as soon as 2 % have ended', () => {
    const asked: [number, number][] = [];
    const executions = { ...known(1, 0.9), remainingTime: (...args: [number, number]) => void asked.push(args) };
    nextReadAt(facts({ endOnly: true, rate: 0.2, besideHeld: true, executions }));
    expect(asked).toEqual([[30_000, 0.02]]);
  });

  test.each<[title: string, rate: number, completions: number, chance: number]>([
    ['with few ends: as soon as 8 % have', 0.2, 0.009, 0.08],
    ['with as many ends as fit: in proportion, with a tenth of the budget to spare', 0.2, 0.09, 0.5],
    ['with more ends than reads: once 80 % have', 0.2, 0.9, 0.8],
    ['without limits: as soon as 8 % have', Infinity, 0.9, 0.08],
  ])('a job is read when it has probably ended, %s', (_, rate, completions, chance) => {
    const asked: [number, number][] = [];
    const executions = {
      ...known(1, completions),
      remainingTime: (...args: [number, number]) => void asked.push(args),
    };
    nextReadAt(facts({ endOnly: true, rate, executions }));
    expect(asked).toEqual([[30_000, expect.closeTo(chance, 10)]]);
  });

  test('execution times are not asked for a job that is not known to run: it has not begun', () => {
    const asked: number[] = [];
    const executions = { ...known(1), remainingTime: (elapsed: number) => void asked.push(elapsed) };
    nextReadAt(facts({ endOnly: true, runningSince: undefined, executions }));
    for (const elapsed of asked) expect(elapsed).toBeLessThan(0);
  });

  describe('the policy', () => {
    const snapshot = { id: 'job', status: 'IN_PROGRESS' } as JobSnapshot;

    /** What the policy is given. */
    const contextOf = (changes: Partial<ReadFacts>, which: 'ownPolicy' | 'defaultPolicy' = 'defaultPolicy') => {
      const given: PollContext[] = [];
      const policy = (context: PollContext) => given.push(context);
      nextReadAt(facts({ ...changes, [which]: policy }));
      expect(given).toHaveLength(1);
      return given[0];
    };

    test.each<[title: string, changes: Partial<ReadFacts>, age: number]>([
      ['its age', {}, 40_000],
      ['the time for which it has run, where execution times are known', { executions: known(1) }, 30_000],
      ['its age, where it is not known to run', { executions: known(1), runningSince: undefined }, 40_000],
      ['its age, where it has begun just now', { executions: known(1), runningSince: NOW }, 40_000],
      ['its age, where it is said to begin later', { executions: known(1), runningSince: NOW + 5 }, 40_000],
    ])('goes by %s', (_, changes, age) => {
      expect(contextOf(changes)).toEqual({ age, failures: 0 });
    });

    test('of the caller goes by its age, whatever is known', () => {
      expect(contextOf({ executions: known(1) }, 'ownPolicy')).toEqual({ age: 40_000, failures: 0 });
    });

    test('is given the failures and the last snapshot', () => {
      expect(contextOf({ failures: 3, snapshot })).toEqual({ age: 40_000, failures: 3, snapshot });
    });

    test('has no snapshot before there is one', () => {
      expect(contextOf({})).not.toHaveProperty('snapshot');
    });
  });
});
