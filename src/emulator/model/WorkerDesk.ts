import { Subscription } from 'rxjs';
import type { Faults } from '../faults/Faults.js';
import { exceeds } from './bytes.js';
import type { JobModel, WorkerReport, Run } from './JobModel.js';
import type { JobQueue } from './JobQueue.js';
import { raised } from './pythonError.js';
import { writeJson } from './relayed.js';
import { PLATFORM_RETRIES } from './settings.js';
import { startRun, endRun } from './transitions.js';

/** Largest result, in bytes of JSON. A larger result is refused, and the job ends without an output. */
const MAX_OUTPUT = 20 * 1024 * 1024;

/** A job and its run on a worker. */
export interface Assignment {
  readonly job: JobModel;
  readonly run: Run;
}

/**
 * The side of an endpoint that workers speak to: take a job, post progress, chunks and the result. The desk does not know
 * whether a worker is in this process or behind a network. A post for a run that is over is refused: it returns `false`.
 */
export class WorkerDesk {
  readonly #queue: JobQueue;
  readonly #faults: Faults;
  readonly #timers = new Subscription();

  constructor(queue: JobQueue, faults: Faults) {
    this.#queue = queue;
    this.#faults = faults;
  }

  get #scheduler() {
    return this.#queue.settings.scheduler;
  }

  take(workerId: string): Assignment | undefined {
    const job = this.#queue.next();
    if (!job) return undefined;
    const now = this.#scheduler.now();
    const run = startRun(job, workerId, now);
    const { executionTimeout, killLag } = this.#queue.settings;
    const killIn = (job.submission.policy.executionTimeout ?? executionTimeout) + killLag;
    const ttlIn = job.ttlAt - now;
    this.#after(Math.min(killIn, ttlIn), run, () => {
      if (killIn < ttlIn) this.#fail(job, 'killed', 'executionTimeout exceeded');
      else this.#queue.expire(job);
    });
    return { job, run };
  }

  progress({ job, run }: Assignment, value: unknown): boolean {
    if (job.current !== run) return false;
    job.progress = { value, executionTime: this.#scheduler.now() - run.startedAt };
    job.notifyChanged();
    return true;
  }

  chunk({ job, run }: Assignment, value: unknown): boolean {
    if (job.current !== run) return false;
    if (job.chunks.full) {
      this.#fail(job, 'killed', 'the stream holds more chunks than can be kept: nobody reads them');
      return false;
    }
    job.chunks.push(value);
    job.notifyChanged();
    return true;
  }

  done({ job, run }: Assignment, report: WorkerReport): boolean {
    if (job.current !== run) return false;
    const lastProgress = job.progress?.value;
    const raise = this.#faults.forJob('json-error', job);
    const final = raise ? { error: raised(new Error(raise.message ?? 'injected failure'), run.workerId) } : report;
    if (final.error === undefined) this.#complete(job, final);
    else this.#fail(job, 'reported', final.error, final.output);
    const late = this.#faults.forJob('late-progress', job);
    if (late) this.#revert(job, late, lastProgress);
    return true;
  }

  /** From now on, a run without a sign of life for `lostAfter` milliseconds loses its job. */
  watchForSilence({ job, run }: Assignment): void {
    const { lostAfter } = this.#queue.settings;
    run.lastSeenAt = this.#scheduler.now();
    const look = (): void => {
      const silent = this.#scheduler.now() - run.lastSeenAt;
      if (silent < lostAfter) this.#after(lostAfter - silent, run, look);
      else this.#giveUp(job);
    };
    this.#after(lostAfter, run, look);
  }

  /** The worker gave a sign of life for this run. */
  markAlive({ run }: Assignment): void {
    run.lastSeenAt = this.#scheduler.now();
  }

  close(): void {
    this.#timers.unsubscribe();
  }

  #giveUp(job: JobModel): void {
    if (job.retries >= PLATFORM_RETRIES) {
      this.#fail(job, 'lost', `job timed out after ${PLATFORM_RETRIES} retries`);
      return;
    }
    endRun(job, 'lost', this.#scheduler.now());
    this.#queue.runAgain(job);
  }

  #complete(job: JobModel, report: WorkerReport): void {
    const now = this.#scheduler.now();
    const refused =
      this.#faults.forJob('no-output', job) !== undefined ||
      (report.output !== undefined && exceeds(writeJson(report.output), MAX_OUTPUT));
    this.#queue.counters.completed += 1;
    endRun(job, 'reported', now);
    this.#queue.conclude(job, 'completed', refused ? {} : report, now);
  }

  #fail(job: JobModel, outcome: 'reported' | 'killed' | 'lost', error: unknown, output?: unknown): void {
    const now = this.#scheduler.now();
    this.#queue.counters.failed += 1;
    endRun(job, outcome, now);
    this.#queue.conclude(job, 'failed', { error, output }, now);
  }

  #revert(job: JobModel, rule: { after?: number; for?: number }, lastProgress: unknown): void {
    const { renewals } = job;
    const change = (ms: number, reverted: JobModel['reverted']): void => {
      this.#timers.add(
        this.#scheduler.schedule(() => {
          if (job.renewals !== renewals) return;
          job.reverted = reverted;
          job.notifyChanged();
        }, ms),
      );
    };
    const after = rule.after ?? 1_000;
    change(after, { value: lastProgress ?? 'late progress' });
    if (rule.for !== undefined) change(after + rule.for, undefined);
  }

  #after(ms: number, run: Run, act: () => void): void {
    run.lifetime.add(this.#scheduler.schedule(act, ms));
  }
}
