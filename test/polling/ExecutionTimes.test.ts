import { describe, expect, test } from 'vitest';
import { ExecutionTimes } from '../../src/polling/ExecutionTimes.js';

const after = (...times: number[]) => {
  const executions = new ExecutionTimes();
  for (const [nth, time] of times.entries()) executions.add(time, nth * 1_000);
  return executions;
};

const eight = [8, 1, 7, 2, 6, 3, 5, 4].map((seconds) => seconds * 1_000);

test('estimates nothing from fewer than eight samples', () => {
  const executions = after(...eight.slice(1));
  expect([executions.known, executions.remainingTime(0, 0.5)]).toEqual([false, undefined]);
});

test('estimates the time until the given part of the longer samples would have ended', () => {
  const executions = after(...eight);
  expect(executions.known).toBe(true);
  expect(executions.remainingTime(0, 0.5)).toBe(4_000);
  expect(executions.remainingTime(2_500, 0.5)).toBe(2_500);
});

test('takes a small chance from the shortest samples, not the longest', () => {
  expect(after(...eight).remainingTime(0, 0.08)).toBeLessThanOrEqual(2_000);
});

test('estimates nothing for a job that ran longer than nearly all samples, or has not started', () => {
  const executions = after(...eight);
  expect(executions.remainingTime(5_000, 0.5)).toBeUndefined();
  expect(executions.remainingTime(-Infinity, 0.5)).toBeUndefined();
});

test('goes by the latest 128 samples only', () => {
  const executions = after(...eight, ...Array.from({ length: 128 }, () => 500));
  expect(executions.remainingTime(0, 0.5)).toBe(500);
  // 128 of them, one in each second.
  expect(executions.rate).toBeCloseTo(0.001, 5);
});

test('S11 goes by the latest times where those are shorter than the ones before', () => {
  const before = Array.from({ length: 100 }, () => 60_000);
  expect(after(...before).remainingTime(0, 0.08)).toBe(60_000);
  expect(after(...before, ...eight.map(() => 2_000)).remainingTime(0, 0.08)).toBe(2_000);
});

describe('the chance that a job ends within a time', () => {
  const sixteen = Array.from({ length: 16 }, (_, nth) => (nth < 8 ? 10_000 : 60_000));

  test.each<[elapsed: number, within: number, chance: number]>([
    [0, 9_999, 0],
    [0, 10_000, 0.5],
    [5_000, 5_000, 0.5],
    [5_000, 4_999, 0],
    [0, 60_000, 1],
  ])('is the part of those that ran longer: after %d ms, within %d ms', (elapsed, within, chance) => {
    expect(after(...sixteen).chanceToEnd(elapsed, within)).toBe(chance);
  });

  test('is that of few known jobs too, while the job is younger than all of them', () => {
    const executions = after(...eight.map((time) => time + 60_000));
    expect(executions.chanceToEnd(0, 1_000)).toBe(0);
    expect(executions.chanceToEnd(60_000, 4_000)).toBe(0.5);
  });

  test('goes by how fast the longest ended, where few ran longer: the less, the longer the job outlasts them', () => {
    const executions = after(...eight, ...eight);
    const chances = [8_000, 16_000, 80_000, 800_000].map((elapsed) => executions.chanceToEnd(elapsed, 1_000));
    expect(chances).toEqual([...chances].sort((a, b) => b - a));
    expect(new Set(chances).size).toBe(4);
    // Sixteen ended in 56 s, counted from the shortest.
    expect(chances[0]).toBeCloseTo(1 - Math.exp(-16 / 56), 10);
    expect(chances[1]).toBeCloseTo(1 - Math.exp(-16 / 64), 10);
    expect(executions.chanceToEnd(8_000, 1e9)).toBeCloseTo(1, 10);
  });

  test('is no chance of more than one, where all took equally long', () => {
    const executions = after(...eight.map(() => 5_000));
    for (const elapsed of [0, 4_999, 5_000, 5_001, 1e6]) {
      const chance = executions.chanceToEnd(elapsed, 1_000);
      expect(chance).toBeGreaterThanOrEqual(0);
      expect(chance).toBeLessThanOrEqual(1);
    }
  });
});

test('the short time is that of the shortest twentieth, and 0 where too few are known', () => {
  expect(after(...eight.slice(1)).shortTime).toBe(0);
  expect(after(...eight).shortTime).toBe(1_000);
  expect(after(...Array.from({ length: 39 }, (_, nth) => (nth + 1) * 100)).shortTime).toBe(200);
});

test('counts how many jobs complete, and how many of them plain reads find', () => {
  const executions = new ExecutionTimes();
  for (let nth = 0; nth < 10; nth++) executions.add(1_000, nth * 1_000, nth % 5 === 0);
  // Ten in nine seconds and the one that is added.
  expect(executions.rate).toBe(0.001);
  expect(executions.plainRate).toBe(0.0002);
  executions.clear();
  expect([executions.rate, executions.plainRate, executions.known, executions.shortTime]).toEqual([0, 0, false, 0]);
});

test.each([-1, NaN, Infinity])('does not learn a time of %d, which no job can take', (time) => {
  const executions = after(...eight.slice(1));
  executions.add(time, 0);
  expect(executions.known).toBe(false);
});
