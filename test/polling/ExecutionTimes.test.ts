import { expect, test } from 'vitest';
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
