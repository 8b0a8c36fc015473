import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QueueProbe, type QueuedJob } from '../../src/polling/QueueProbe.js';
import { seed } from '../support/seed.js';

interface TestJob extends QueuedJob {
  dueAt: number;
  awaitingRead: boolean;
}

const job = (nth: number): TestJob => ({
  nth,
  dueAt: Infinity,
  awaitingRead: false,
  queuedSince: undefined,
  runningSince: undefined,
});

/** A probe whose pace is a second, what it had read since the last look, and so many jobs. */
function probing(count: number, pace = 1_000) {
  const reads: [nth: number, at: number][] = [];
  const inferred: [nth: number, runningSince: number | undefined][] = [];
  const paces: [nth: number, sinceProgress: number][] = [];
  const delayOf = ({ nth }: TestJob, sinceProgress: number) => {
    paces.push([nth, sinceProgress]);
    return pace;
  };
  const probe = new QueueProbe<TestJob>(delayOf, {
    readAt: (one, at) => {
      one.dueAt = at;
      reads.push([one.nth, at]);
    },
    startInferred: ({ nth, runningSince }) => inferred.push([nth, runningSince]),
  });
  const jobs = Array.from({ length: count }, (_, nth) => job(nth));
  return {
    probe,
    jobs,
    paces,
    /** Has all jobs found queued at a moment, submitted a second apart. */
    queueAll: (now: number) => {
      for (const one of jobs) probe.queued(one, one.nth * 1_000, now);
      reads.length = 0;
      paces.length = 0;
    },
    reads: () => reads.splice(0),
    inferred: () => inferred.splice(0),
  };
}

describe('a queued job', () => {
  test('is the probe where it is the first: it is read again at the pace that is asked for', () => {
    const { probe, jobs, reads, paces } = probing(1);
    probe.queued(jobs[0]!, 4_000, 10_000);
    expect(probe.probe).toBe(jobs[0]);
    expect(probe.length).toBe(1);
    expect(jobs[0]).toMatchObject({ queuedSince: 4_000, runningSince: undefined });
    expect(reads()).toEqual([[0, 11_000]]);
    expect(paces).toEqual([[0, 6_000]]);
  });

  test('is not read where another is the probe', () => {
    const { probe, jobs, reads, paces } = probing(2);
    probe.queued(jobs[0]!, 0, 100);
    reads();
    probe.queued(jobs[1]!, 50, 200);
    expect(probe.probe).toBe(jobs[0]);
    expect(probe.length).toBe(2);
    expect(reads()).toEqual([]);
    expect(paces).toHaveLength(1);
  });

  test('is queued once, however often that is said', () => {
    const { probe, jobs } = probing(3);
    for (const now of [100, 200, 300]) for (const one of jobs) probe.queued(one, one.nth, now);
    expect(probe.length).toBe(3);
  });

  test('does not run, whatever was inferred', () => {
    const { probe, jobs } = probing(2);
    jobs[1]!.runningSince = 50;
    probe.queued(jobs[0]!, 0, 100);
    probe.queued(jobs[1]!, 0, 100);
    expect(jobs[1]!.runningSince).toBeUndefined();
  });

  test('is read a second later where the policy gives no delay that makes sense', () => {
    const { probe, jobs, reads } = probing(1, -5);
    probe.queued(jobs[0]!, 0, 100);
    expect(reads()).toEqual([[0, 1_100]]);
  });

  test('comes before those that were submitted later, and among equals in the order of their numbers', () => {
    const { probe, jobs, queueAll, inferred } = probing(0);
    queueAll(0);
    jobs.push(...[0, 1, 2, 3, 4].map(job));
    const submitted = [30, 20, 20, 10, 20];
    for (const nth of [0, 4, 1, 3, 2]) probe.queued(jobs[nth]!, submitted[nth]!, 100);
    // Each start tells of the jobs ahead: in the order 3, 1, 2, 4, 0.
    for (const [nth, ahead] of [
      [3, []],
      [2, [1]],
      [0, [4]],
    ] as const) {
      probe.started(jobs[nth]!, 1_000, 1_000);
      expect(inferred().map(([other]) => other)).toEqual(ahead);
    }
    expect(probe.length).toBe(0);
  });
});

describe('the probe', () => {
  test('goes twice as far behind with each start, half as far with each answer that it is still queued', () => {
    const { probe, jobs, queueAll, reads } = probing(40);
    queueAll(0);
    probe.started(probe.probe!, 50_000, 50_000);
    expect(probe.probe).toBe(jobs[2]);
    expect(reads()).toEqual([[2, 50_000]]);
    probe.started(probe.probe!, 51_000, 51_000);
    expect(probe.probe).toBe(jobs[6]);
    probe.started(probe.probe!, 52_000, 52_000);
    expect(probe.probe).toBe(jobs[14]);
    reads();
    // Queued: four, two, one and one ahead of the oldest.
    const distances = [10, 8, 7, 7].map((nth) => {
      probe.queued(probe.probe!, 0, 52_100);
      return [probe.probe === jobs[nth], reads().at(-1)];
    });
    expect(distances).toEqual([
      [true, [10, 53_100]],
      [true, [8, 53_100]],
      [true, [7, 53_100]],
      [true, [7, 53_100]],
    ]);
  });

  test('is the last job where there are not that many', () => {
    const { probe, jobs, queueAll } = probing(4);
    queueAll(0);
    for (const nth of [0, 2, 3]) {
      expect(probe.probe).toBe(jobs[nth]);
      probe.started(probe.probe!, 5_000, 5_000);
    }
    expect(probe.probe).toBeUndefined();
    expect(probe.length).toBe(0);
  });

  test('stays where it is when a job ahead of it starts', () => {
    const { probe, jobs, queueAll, reads, inferred } = probing(10);
    queueAll(0);
    probe.started(jobs[0]!, 10_000, 10_000);
    reads();
    probe.started(jobs[1]!, 11_000, 11_000);
    expect(probe.probe).toBe(jobs[2]);
    expect([reads(), inferred()]).toEqual([[], []]);
  });

  test('is another one, no farther behind, when a job behind it starts', () => {
    const { probe, jobs, queueAll, reads, inferred } = probing(10);
    queueAll(0);
    probe.started(jobs[3]!, 20_000, 20_000);
    expect(inferred().map(([nth]) => nth)).toEqual([0, 1, 2]);
    expect(probe.probe).toBe(jobs[4]);
    expect(reads()).toEqual([[4, 20_000]]);
  });

  test('is not read twice at once', () => {
    const { probe, jobs, queueAll, reads } = probing(10);
    queueAll(0);
    jobs[2]!.awaitingRead = true;
    probe.started(jobs[0]!, 10_000, 10_000);
    expect(probe.probe).toBe(jobs[2]);
    expect(reads()).toEqual([]);
  });

  test('is read at a pace that goes by the time since the last start', () => {
    const { probe, jobs, queueAll, paces } = probing(10);
    queueAll(0);
    probe.started(jobs[0]!, 10_000, 12_000);
    expect(paces).toEqual([]);
    probe.queued(jobs[2]!, 2_000, 15_000);
    expect(paces).toEqual([[2, 3_000]]);
  });

  test('is followed by another within half a second when nobody watches it any more', () => {
    const { probe, jobs, queueAll, reads } = probing(3);
    queueAll(0);
    probe.remove(jobs[0]!, 100);
    expect(probe.probe).toBe(jobs[1]);
    expect(probe.length).toBe(2);
    expect(reads()).toEqual([[1, 600]]);
    jobs[1]!.dueAt = 300;
    probe.remove(jobs[1]!, 100);
    expect(reads()).toEqual([[2, 300]]);
    probe.remove(jobs[2]!, 100);
    expect([probe.probe, probe.length]).toEqual([undefined, 0]);
    expect(reads()).toEqual([]);
  });

  test('stays where it is when another job is not watched any more', () => {
    const { probe, jobs, queueAll, reads, inferred } = probing(4);
    queueAll(0);
    const stranger = job(9);
    probe.remove(jobs[1]!, 100);
    probe.remove(stranger, 100);
    expect([probe.probe, probe.length, reads()]).toEqual([jobs[0], 3, []]);
    probe.started(jobs[3]!, 10_000, 10_000);
    expect(inferred().map(([nth]) => nth)).toEqual([0, 2]);
  });
});

describe('a start', () => {
  test('of a job that was not queued tells nothing', () => {
    const { probe, jobs, queueAll, reads, inferred } = probing(3);
    queueAll(0);
    probe.started(job(9), 10_000, 10_000);
    expect([probe.probe, probe.length, reads(), inferred()]).toEqual([jobs[0], 3, [], []]);
  });

  test('takes all jobs ahead for started, the first time at the same moment', () => {
    const { probe, jobs, queueAll, inferred } = probing(4);
    queueAll(0);
    probe.started(jobs[2]!, 10_000, 12_000);
    expect(inferred()).toEqual([
      [0, 10_000],
      [1, 10_000],
    ]);
    expect(jobs.map(({ queuedSince }) => queuedSince)).toEqual([undefined, undefined, undefined, 3_000]);
  });

  test('spreads the starts ahead evenly since the last known start', () => {
    const { probe, jobs, queueAll, inferred } = probing(6);
    queueAll(0);
    probe.started(jobs[0]!, 10_000, 10_000);
    probe.started(jobs[4]!, 18_000, 19_000);
    expect(inferred()).toEqual([
      [1, 12_000],
      [2, 14_000],
      [3, 16_000],
    ]);
  });

  test('that lies before the last known one spreads nothing', () => {
    const { probe, jobs, queueAll, inferred } = probing(6);
    queueAll(0);
    probe.started(jobs[0]!, 10_000, 10_000);
    probe.started(jobs[3]!, 8_000, 19_000);
    expect(inferred()).toEqual([
      [1, 8_000],
      [2, 8_000],
    ]);
    // The next ones are spread from there.
    probe.started(jobs[5]!, 12_000, 19_000);
    expect(inferred()).toEqual([[4, 10_000]]);
  });

  test('is never taken to lie before the submission', () => {
    const { probe, jobs, queueAll, inferred } = probing(6);
    queueAll(0);
    probe.started(jobs[5]!, 3_500, 6_000);
    expect(inferred()).toEqual([
      [0, 3_500],
      [1, 3_500],
      [2, 3_500],
      [3, 3_500],
      [4, 4_000],
    ]);
  });

  test('leaves alone the jobs ahead that are being read', () => {
    const { probe, jobs, queueAll, inferred } = probing(4);
    queueAll(0);
    jobs[1]!.awaitingRead = true;
    probe.started(jobs[3]!, 10_000, 10_000);
    expect(inferred().map(([nth]) => nth)).toEqual([0, 2]);
    expect(jobs[1]).toMatchObject({ queuedSince: undefined, runningSince: undefined });
  });
});

describe('the slow round', () => {
  /** Says that the probe is still queued, a second apart, and gives the jobs that were read at once. */
  const rounds = (made: ReturnType<typeof probing>, times: readonly number[]) =>
    times.map((now) => {
      made.reads();
      made.probe.queued(made.probe.probe!, 0, now);
      return made
        .reads()
        .filter(([, at]) => at === now)
        .map(([nth]) => nth);
    });

  test('reads a few jobs in turn within 30 s, the probe itself aside', () => {
    const made = probing(3);
    made.queueAll(100_000);
    // The first answer, when there was one job only, was a step.
    expect(rounds(made, [109_999, 110_000, 119_999, 120_000, 130_000, 140_000])).toEqual([[], [2], [], [], [1], [2]]);
  });

  test('reads many jobs in turn, half a second apart', () => {
    const made = probing(100);
    made.queueAll(100_000);
    expect(rounds(made, [100_499, 100_500, 100_999, 101_000, 101_600, 102_000])).toEqual([[], [2], [], [3], [4], []]);
  });

  test('does not read a job twice at once', () => {
    const made = probing(3);
    made.queueAll(100_000);
    made.jobs[2]!.awaitingRead = true;
    expect(rounds(made, [110_000, 120_000, 130_000])).toEqual([[], [], [1]]);
  });
});

test('where workers keep to the order, only jobs that have started are taken for started, and each soon', () => {
  const queues = fc.array(
    fc.record({
      /** How long after the job ahead it is submitted, and starts. */
      submitted: fc.nat(400),
      started: fc.nat(1_000),
      /** When nobody watches it any more. */
      left: fc.option(fc.integer({ min: 30_000, max: 60_000 }), { nil: Infinity }),
    }),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(queues, (queue) => {
      const { probe, jobs } = probing(queue.length, 100);
      let [submittedAt, startedAt] = [0, 30_000];
      const times = queue.map(({ submitted, started, left }) => {
        submittedAt += submitted;
        startedAt += started;
        return { submittedAt, startedAt, left };
      });
      for (const [nth, one] of jobs.entries()) probe.queued(one, times[nth]!.submittedAt, 25_000);
      const waiting = new Set(jobs);
      const wrong: string[] = [];
      for (let now = 25_000; now < 80_000; now += 50) {
        for (const one of waiting) {
          const time = times[one.nth]!;
          if (one.queuedSince !== undefined && time.left <= now) {
            probe.remove(one, now);
            waiting.delete(one);
          } else if (one.queuedSince !== undefined && one.dueAt <= now) {
            // Each read is answered at once, and truly.
            one.dueAt = Infinity;
            if (time.startedAt > now) probe.queued(one, time.submittedAt, now);
            else probe.started(one, time.startedAt, now);
          }
        }
        for (const one of waiting) {
          const { submittedAt: earliest, startedAt: start } = times[one.nth]!;
          const { nth, queuedSince, runningSince = now } = one;
          if (queuedSince === undefined) {
            waiting.delete(one);
            if (start > now) wrong.push(`${nth} has not started at ${now}`);
            if (runningSince > now || runningSince < earliest) wrong.push(`${nth} has not run since ${runningSince}`);
            // Six answers, a tenth of a second apart, bring the probe down from the farthest job to the oldest.
          } else if (start + 1_000 < now) wrong.push(`${nth} has run since ${start}, unnoticed at ${now}`);
        }
        if (probe.length !== waiting.size) wrong.push(`${probe.length} are queued, not ${waiting.size}`);
        if (waiting.size > 0 !== (probe.probe !== undefined && waiting.has(probe.probe))) wrong.push('no probe');
      }
      expect(wrong).toEqual([]);
      expect(waiting.size).toBe(0);
    }),
    { seed, numRuns: 100 },
  );
});
