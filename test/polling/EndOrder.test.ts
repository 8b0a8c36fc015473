import { describe, expect, test } from 'vitest';
import { EndOrder, ORDER_AGE, type HoldableJob } from '../../src/polling/EndOrder.js';
import { clock } from '../support/world.js';

interface TestJob extends HoldableJob {
  readonly name: string;
  dueAt: number;
  awaitingRead: boolean;
}

/** A job that has run for so long at the start; it was read just now, and is due. */
const job = (name: string, ranFor = 0): TestJob => ({
  name,
  runningSince: -ranFor,
  answeredAt: 0,
  dueAt: 0,
  awaitingRead: false,
});

/** The order of jobs, where a job is the likelier to end the longer it has run, unless the test says otherwise. */
function ordered(given: { known?: boolean; rate?: number; plainRate?: number } = {}) {
  const { scheduler, until } = clock();
  const held = new Map<TestJob, number>();
  const waiting = new Set<TestJob>();
  const asked: [elapsed: number, within: number][] = [];
  const order = new EndOrder<TestJob>({
    scheduler,
    reads: { places: 2 },
    executions: {
      known: given.known ?? true,
      rate: given.rate ?? 1,
      chanceToEnd: (elapsed, within) => {
        asked.push([elapsed, within]);
        return elapsed / 1e6;
      },
    },
    plainRate: () => given.plainRate ?? 1 / ORDER_AGE,
    held,
    waiting,
  });
  const wait = (...some: readonly TestJob[]) => {
    for (const one of some) waiting.add(one);
  };
  const hold = (...some: readonly TestJob[]) => {
    for (const one of some) {
      waiting.delete(one);
      held.set(one, scheduler.now());
    }
  };
  return { order, held, waiting, asked, until, wait, hold };
}

describe('the likeliest job that waits', () => {
  test('is none where none waits, and the order is not made for it', () => {
    const { order, hold, asked } = ordered();
    hold(job('held', 5_000));
    expect(order.likeliestWaiting()).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test('stays the same until it no longer waits; then it is the next', () => {
    const { order, wait, hold, waiting } = ordered();
    const [young, old, middle] = [job('young', 1_000), job('old', 9_000), job('middle', 5_000)];
    wait(young, old, middle);
    expect([order.likeliestWaiting(), order.likeliestWaiting()]).toEqual([old, old]);
    hold(old);
    expect(order.likeliestWaiting()).toBe(middle);
    waiting.delete(middle);
    expect(order.likeliestWaiting()).toBe(young);
  });

  test('is not one whose read has begun since the order was made', () => {
    const { order, wait } = ordered();
    const [young, old] = [job('young', 1_000), job('old', 9_000)];
    wait(young, old);
    expect(order.likeliestWaiting()).toBe(old);
    old.awaitingRead = true;
    expect(order.likeliestWaiting()).toBe(young);
    young.awaitingRead = true;
    expect(order.likeliestWaiting()).toBeUndefined();
  });

  test('comes after those of the order, where it came later, until the order is made anew', () => {
    const { order, wait, hold, until } = ordered();
    const first = job('first', 1_000);
    wait(first);
    expect(order.likeliestWaiting()).toBe(first);
    const [late, older] = [job('late', 2_000), job('older', 9_000)];
    wait(late, older);
    expect(order.likeliestWaiting()).toBe(first);
    hold(first);
    expect(order.likeliestWaiting()).toBe(late);
    until(ORDER_AGE - 1);
    expect(order.likeliestWaiting()).toBe(late);
    until(ORDER_AGE);
    expect(order.likeliestWaiting()).toBe(older);
  });
});

describe('the unlikeliest job that is held', () => {
  test('is none where none is held', () => {
    expect(ordered().order.unlikeliestHeld()).toBeUndefined();
  });

  test('is the next, once it is no longer held, and none that has been held since the order was made', () => {
    const { order, hold, held, until } = ordered();
    const [young, old, middle] = [job('young', 1_000), job('old', 9_000), job('middle', 5_000)];
    hold(old, young, middle);
    expect([order.unlikeliestHeld(), order.unlikeliestHeld()]).toEqual([young, young]);
    const late = job('late', 0);
    hold(late);
    held.delete(young);
    expect(order.unlikeliestHeld()).toBe(middle);
    for (const one of [middle, old]) held.delete(one);
    expect(order.unlikeliestHeld()).toBeUndefined();
    until(ORDER_AGE);
    expect(order.unlikeliestHeld()).toBe(late);
  });
});

describe('the jobs that have most probably ended', () => {
  test('are taken once each, as many as can be read plainly, and found anew with the order', () => {
    const { order, wait, until } = ordered({ plainRate: 1 / ORDER_AGE });
    const [young, old] = [job('young', 1_000), job('old', 9_000)];
    wait(young, old);
    expect([young, old, old].map((one) => order.takeLikelyEnded(one))).toEqual([false, true, false]);
    until(ORDER_AGE);
    expect(order.takeLikelyEnded(old)).toBe(true);
  });

  test('are due before the order is made anew, and not being read', () => {
    const { order, wait } = ordered({ plainRate: Infinity });
    const [due, later, read] = [job('due'), job('later'), job('read')];
    due.dueAt = ORDER_AGE;
    later.dueAt = ORDER_AGE + 1;
    read.awaitingRead = true;
    wait(due, later, read);
    expect([due, later, read].map((one) => order.takeLikelyEnded(one))).toEqual([true, false, false]);
  });

  test('are found by the chance that they end while the order is used', () => {
    const { order, wait, asked, until } = ordered();
    const one = job('one', 1_000);
    wait(one);
    until(3_000);
    order.takeLikelyEnded(one);
    // It may have ended since its last answer, which is three seconds old.
    expect(asked).toEqual([
      [1_000, 3_000 + 1_000],
      [1_000, 3_000 + ORDER_AGE],
    ]);
  });
});

describe('the chance of a job', () => {
  test('is for how long it has run, where execution times are not known, and from the start of time where that is not', () => {
    const { order, asked, until } = ordered({ known: false });
    until(5_000);
    expect(order.chanceOf(job('one', 1_000))).toBe(6_000);
    expect(order.chanceOf({ ...job('other'), runningSince: undefined })).toBe(5_000);
    expect(asked).toEqual([]);
  });

  test('counts from its start, where that came after its last answer', () => {
    const { order, asked, until } = ordered();
    until(5_000);
    order.chanceOf({ ...job('one'), runningSince: 4_000, answeredAt: 1_000 });
    expect(asked).toEqual([[0, 1_000 + 1_000]]);
  });
});

test('an order that was forgotten is made anew when it is asked for next', () => {
  const { order, wait, hold } = ordered();
  const [first, other] = [job('first', 1_000), job('other', 9_000)];
  wait(first);
  expect(order.likeliestWaiting()).toBe(first);
  order.clear();
  expect([order.takeLikelyEnded(other), order.unlikeliestHeld()]).toEqual([false, undefined]);
  order.clear();
  wait(other);
  hold(first);
  expect([order.likeliestWaiting(), order.unlikeliestHeld()]).toEqual([other, first]);
});
