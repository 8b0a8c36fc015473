import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Job, JobOptions } from 'runpod-rx';
import { world, type World } from '../support/world.js';
import { streaming, tally, type Act } from './support/acting.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Counts uses of real time. A promise needs no count: the test is over before it could settle. */
function realTime(): () => string[] {
  const spies = {
    setTimeout: vi.spyOn(globalThis, 'setTimeout'),
    setInterval: vi.spyOn(globalThis, 'setInterval'),
    setImmediate: vi.spyOn(globalThis, 'setImmediate'),
    queueMicrotask: vi.spyOn(globalThis, 'queueMicrotask'),
    'Date.now': vi.spyOn(Date, 'now'),
    'performance.now': vi.spyOn(performance, 'now'),
    nextTick: vi.spyOn(process, 'nextTick'),
  };
  return () => Object.entries(spies).flatMap(([name, spy]) => (spy.mock.calls.length ? [name] : []));
}

describe('S9 all time of a job comes from the scheduler', () => {
  const input: Act = {
    ms: 600_000,
    chunks: [
      [1_000, 'a'],
      [300_000, 'b'],
    ],
  };
  type Life = (job: Job, made: World) => void;
  const lives: [string, JobOptions, Life, string][] = [
    [
      'to its end',
      {},
      (job, { see }) => [job.output$, job.chunks$, job.diagnosis$].map((one$) => see<unknown>(one$)),
      'COMPLETED',
    ],
    [
      'cancelled, after its grace',
      { grace: 5_000 },
      (job, { see, at }) => {
        const { subscription } = see(job.chunks$);
        at(10_000, () => {
          subscription.unsubscribe();
        });
      },
      'CANCELLED',
    ],
    ['to its deadline', { timeout: 100_000 }, (job, { see }) => see(job.output$), 'CANCELLED'],
    [
      'to its deadline, without an answer',
      { timeout: 100_000 },
      (job, { see, at, emulator }) => {
        see(job.output$);
        at(99_000, () => void emulator.inject({ fault: 'reset-before', on: ['status', 'cancel'], times: 4 }));
      },
      'CANCELLED',
    ],
    [
      'cancelled by cancel(), with its report and late subscribers',
      {},
      (job, { see, at }) => {
        see(job.output$);
        at(10_000, () => see(job.cancel()));
        at(20_000, () => see(job.output$));
      },
      'CANCELLED',
    ],
    ['refused for its options', { grace: -1 }, (job, { see }) => see(job.output$), ''],
  ];

  test.each(lives)('%s', (_, options, live, status) => {
    const endpoints = { demo: streaming({ aggregate: true, killLag: 1e8 }) };
    const made = world({ endpoints, latency: 100, faults: { 'empty-502': { on: 'status', probability: 0.05 } } });
    const used = realTime();
    live(made.endpoint.job({ input }, options), made);
    made.until(800_000);
    expect(used()).toEqual([]);
    expect(made.emulator.jobs().map((job) => job.status)).toEqual(status ? [status] : []);
    expect(tally(made).run ?? 0).toBe(status ? 1 : 0);
  });
});
