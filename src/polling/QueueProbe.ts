import { clampDelay } from '../protocol/clampDelay.js';
import { lowerBound } from './lowerBound.js';

/** The slow round reads each queued job once within this time, if they are few, in milliseconds. */
const SLOW_ROUND_TIME = 30_000;

/** The slow round leaves at least this time between two reads, in milliseconds. */
const MIN_ROUND_GAP = 500;

/**
 * Infers which queued jobs have started without reading each of them. Workers take the jobs of a queue in the order of
 * submission, so one queued job is read for all, the probe: while it is queued, so are the jobs behind it, and once it
 * runs, so do the jobs ahead of it. Each time the probe runs, the next probe is chosen twice as far behind the oldest
 * queued job; each time it is still queued, half as far. A slow round reads the other jobs too, since not every service
 * keeps to the order.
 */
export class QueueProbe<T extends QueuedJob> {
  readonly #delayOf: ProbeDelay<T>;
  readonly #schedule: ProbeSchedule<T>;
  /** The queued jobs, in the order of submission. */
  readonly #queue: T[] = [];
  #probe: T | undefined;
  /** The probe's place in the queue, from 1. If the probe runs, so do the jobs ahead of it. */
  #probeDistance = 1;
  /** When a queued job was last found to run, or the first job of the queue was submitted. */
  #lastProgressAt = 0;
  /** When the last job that was found to run had started. */
  #lastStartAt = Infinity;
  /** The last step of the slow round: its number, and when it was. */
  #roundStep = 0;
  #roundStepAt = 0;

  /** @param delayOf - how long after an answer the probe is read again */
  constructor(delayOf: ProbeDelay<T>, schedule: ProbeSchedule<T>) {
    this.#delayOf = delayOf;
    this.#schedule = schedule;
  }

  /** How many jobs are queued. */
  get length(): number {
    return this.#queue.length;
  }

  /** The job that is read for all. */
  get probe(): T | undefined {
    return this.#probe;
  }

  /** An answer says that a job is queued. */
  queued(job: T, submittedAt: number, now: number): void {
    if (job.queuedSince === undefined) {
      job.queuedSince = submittedAt;
      this.#queue.splice(this.#indexOf(job), 0, job);
    }
    // Its start may have been inferred, wrongly.
    job.runningSince = undefined;
    if (!this.#probe) this.#lastProgressAt = submittedAt;
    else if (this.#probe !== job) return;
    this.#probeDistance = Math.max(1, this.#probeDistance >> 1);
    this.#stepSlowRound(job, now);
    this.#chooseProbe(now + clampDelay(this.#delayOf(job, now - this.#lastProgressAt)));
  }

  /** An answer says that a job runs or has run since `startedAt`: so do or have all jobs that were queued ahead of it. */
  started(job: T, startedAt: number, now: number): void {
    if (job.queuedSince === undefined) return;
    const started = this.#queue.splice(0, this.#indexOf(job) + 1);
    this.#lastProgressAt = now;
    // Their starts are taken to lie evenly between the last known start and this one.
    const from = Math.min(this.#lastStartAt, startedAt);
    const step = (startedAt - from) / started.length;
    this.#lastStartAt = startedAt;
    for (const [index, other] of started.entries()) {
      const { queuedSince = from } = other;
      other.queuedSince = undefined;
      if (other === job || other.awaitingRead) continue;
      other.runningSince = Math.max(queuedSince, from + step * (index + 1));
      this.#schedule.startInferred(other);
    }
    if (this.#probe?.queuedSince !== undefined) return;
    if (this.#probe === job) this.#probeDistance *= 2;
    this.#chooseProbe(now);
  }

  /** Takes a job out whose start is learnt in another way. */
  leave(job: T, now: number): void {
    this.remove(job, now);
    job.queuedSince = undefined;
  }

  /** Forgets a job that is no longer watched. */
  remove(job: T, now: number): void {
    if (job.queuedSince !== undefined) this.#queue.splice(this.#indexOf(job), 1);
    if (this.#probe === job) this.#chooseProbe(Math.min(job.dueAt, now + MIN_ROUND_GAP));
  }

  /** Reads the next job of the slow round, if enough time has passed since the last one. */
  #stepSlowRound(probed: T, now: number): void {
    const { length } = this.#queue;
    if (now - this.#roundStepAt < Math.max(MIN_ROUND_GAP, SLOW_ROUND_TIME / length)) return;
    this.#roundStepAt = now;
    this.#roundStep++;
    const job = this.#queue[this.#roundStep % length];
    if (job && job !== probed && !job.awaitingRead) this.#schedule.readAt(job, now);
  }

  /** Chooses the job to read for all, and has it read. */
  #chooseProbe(readAt: number): void {
    this.#probe = this.#queue[Math.min(this.#probeDistance, this.#queue.length) - 1];
    if (this.#probe && !this.#probe.awaitingRead) this.#schedule.readAt(this.#probe, readAt);
  }

  /** A job's index in the queue, or where it belongs. */
  #indexOf({ queuedSince = 0, nth }: T): number {
    return lowerBound(this.#queue.length, (index) => {
      const { queuedSince: since = 0, nth: other = 0 } = this.#queue[index] ?? {};
      return since < queuedSince || (since === queuedSince && other < nth);
    });
  }
}

/** What the probe knows of a watched job, and keeps on it. All times are on the scheduler's clock. */
export interface QueuedJob {
  /** Orders jobs that were submitted at the same moment. */
  readonly nth: number;
  /** When the next read of the job is due. */
  readonly dueAt: number;
  /** A read of the job is in flight: it needs no other. */
  readonly awaitingRead: boolean;
  /** When the job was submitted, while it is in the probe's queue. */
  queuedSince: number | undefined;
  /** Since when the job runs at the latest, if it is known to run. */
  runningSince: number | undefined;
}

/** How long after an answer the probe is read again, in milliseconds, by the time since a queued job was last found to run. */
export type ProbeDelay<T> = (probe: T, sinceProgress: number) => number;

/** How the probe has jobs read. */
export interface ProbeSchedule<T> {
  /** Has a job read at that time. */
  readAt(job: T, at: number): void;
  /** Called for a job that must have started, since a job behind it has. */
  startInferred(job: T): void;
}
