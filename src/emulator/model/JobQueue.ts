import { JobModel, type JobEnd, type WorkerReport, type Submission } from './JobModel.js';
import { uuid, type Random } from './random.js';
import { DEFAULT_TTL, type EndpointSettings } from './settings.js';
import { endRun, renew, requeue, endJob } from './transitions.js';

/** Milliseconds between two sweeps. A sweep drops the jobs that can no longer be read. */
const SWEEP_INTERVAL = 60_000;

/** Callbacks for the milestones of a queue's jobs. */
export interface QueueWatcher {
  /** The job was submitted. */
  readonly accepted: (job: JobModel) => void;
  /** The job has ended and can still be read. */
  readonly ended: (job: JobModel) => void;
  /** The job can no longer be read, and the queue has dropped it. */
  readonly dropped: (job: JobModel) => void;
}

/**
 * The jobs of one endpoint: which jobs wait, which can be read, and what clients may do to them. The queue does not know
 * how workers run jobs: `onWork` notifies workers that a job waits, `next` takes it.
 */
export class JobQueue {
  readonly #random: Random;
  readonly #watcher: QueueWatcher;
  readonly counters = { completed: 0, failed: 0, retried: 0 };
  readonly #jobs = new Map<string, JobModel>();
  /** Jobs that wait or run. */
  readonly #unfinished = new Set<JobModel>();
  #pending = new Set<JobModel>();
  /** No unfinished job's time to live ends before this time. */
  #nextExpiryAt = Infinity;
  readonly #listeners = new Set<() => void>();
  #sweepAt = 0;

  constructor(
    readonly settings: EndpointSettings,
    random: Random,
    watcher: QueueWatcher,
  ) {
    this.#random = random;
    this.#watcher = watcher;
  }

  get #now(): number {
    return this.settings.scheduler.now();
  }

  /** Calls `listener` whenever a job enters the queue. Returns a function that removes the listener. */
  onWork(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Puts a job into the queue. A job of a batch has its `id` already; any other job gets one. */
  submit(submission: Submission, id = this.#newId(submission)): JobModel {
    const { id: endpointId, retention } = this.settings;
    const now = this.#now;
    this.#sweep(now);
    const ttl = submission.policy.ttl ?? DEFAULT_TTL;
    const job = new JobModel({
      id,
      endpointId,
      submission,
      submittedAt: now,
      ttl,
      retention: retention[submission.operation],
    });
    this.#jobs.set(id, job);
    this.#watcher.accepted(job);
    this.#enqueue(job);
    return job;
  }

  /** The job, if it can still be read. */
  find(id: string): JobModel | undefined {
    const now = this.#now;
    this.#sweep(now);
    const job = this.#jobs.get(id);
    if (!job) return undefined;
    this.#age(job, now);
    return job.gone ? undefined : job;
  }

  /** Takes the first job out of the queue. */
  next(): JobModel | undefined {
    for (const job of this.#pending) {
      this.#age(job, this.#now);
      // A job whose time to live is over has just left `#pending`; then `delete` returns false.
      if (this.#pending.delete(job)) return job;
    }
    return undefined;
  }

  /** How many waiting jobs may start another worker (low-priority jobs may not), counted up to `most`. */
  countWanting(most: number): number {
    let count = 0;
    for (const job of this.#pending) {
      if (count >= most) break;
      if (!job.submission.policy.lowPriority) count += 1;
    }
    return count;
  }

  /** How many jobs wait and how many run. */
  depth(): { readonly inQueue: number; readonly inProgress: number } {
    this.ageAll();
    return { inQueue: this.#pending.size, inProgress: this.#unfinished.size - this.#pending.size };
  }

  /** Jobs that have not ended, oldest first. */
  listUnfinished(): readonly JobModel[] {
    this.ageAll();
    return [...this.#jobs.values()].filter((job) => !job.over);
  }

  /** Stops a job. Returns false if the job had ended already. */
  cancel(job: JobModel): boolean {
    job.cancelRequests += 1;
    if (job.over) return false;
    this.#end(job, 'cancelled', 'cancelled');
    return true;
  }

  /** Puts a failed or timed-out job into the queue again. Returns false for a job in any other state. */
  retry(job: JobModel): boolean {
    if (job.status !== 'FAILED' && job.status !== 'TIMED_OUT') return false;
    this.counters.retried += 1;
    renew(job, this.#now);
    this.#enqueue(job);
    return true;
  }

  /** Removes every waiting job, and returns their number. */
  purge(): number {
    this.ageAll();
    const purged = [...this.#pending];
    for (const job of purged) {
      job.gone = this.settings.variants.purged === 'gone';
      this.#end(job, 'purged', 'cancelled');
    }
    return purged.length;
  }

  /** Puts a job whose worker fell silent at the front of the queue. */
  runAgain(job: JobModel): void {
    this.counters.retried += 1;
    requeue(job);
    this.#pending = new Set([job, ...this.#pending]);
    this.#announce();
  }

  /** Ends a waiting or running job whose time to live is over. */
  expire(job: JobModel): void {
    job.gone = this.settings.variants.expired === 'gone';
    this.#end(job, job.gone ? 'expired' : 'timed-out', 'expired', job.ttlAt);
  }

  /** Records the end of a job. */
  conclude(job: JobModel, end: JobEnd, report: WorkerReport, at = this.#now): void {
    endJob(job, end, report, at);
    this.#unfinished.delete(job);
    // A job that is gone sends no webhook.
    if (!job.gone) this.#watcher.ended(job);
  }

  /** Expires every unfinished job whose time to live is over, and sweeps if a sweep is due. */
  ageAll(): void {
    const now = this.#now;
    this.#sweep(now);
    // Every read of the endpoint calls this: skip the loop over all jobs until one can expire.
    if (now < this.#nextExpiryAt) return;
    for (const job of this.#unfinished) this.#age(job, now);
    this.#nextExpiryAt = [...this.#unfinished].reduce((first, { ttlAt }) => Math.min(first, ttlAt), Infinity);
  }

  /** Stops all work. */
  close(): void {
    for (const job of this.#jobs.values()) endRun(job, 'closed', this.#now);
    this.#pending.clear();
    this.#unfinished.clear();
  }

  #newId({ operation }: Submission): string {
    const { region } = this.settings;
    return `${operation === 'runsync' ? 'sync-' : ''}${uuid(this.#random)}${region && `-${region}`}`;
  }

  #end(job: JobModel, end: JobEnd, outcome: 'cancelled' | 'expired', at = this.#now): void {
    this.#pending.delete(job);
    endRun(job, outcome, at);
    this.conclude(job, end, {}, at);
  }

  #enqueue(job: JobModel): void {
    this.#unfinished.add(job);
    this.#nextExpiryAt = Math.min(this.#nextExpiryAt, job.ttlAt);
    this.#pending.add(job);
    this.#announce();
  }

  #announce(): void {
    for (const listener of this.#listeners) listener();
  }

  #age(job: JobModel, now: number): void {
    if (job.gone) return;
    if (!job.over) {
      if (now >= job.ttlAt) this.expire(job);
      return;
    }
    const retained = (job.endedAt ?? now) + job.retention;
    // The time to live deletes results too, but not the status TIMED_OUT that it caused itself.
    const until = job.end === 'timed-out' ? retained : Math.min(retained, job.ttlAt);
    if (now >= until) job.gone = true;
  }

  #sweep(now: number): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + SWEEP_INTERVAL;
    for (const job of this.#jobs.values()) this.#age(job, now);
    for (const job of this.#jobs.values()) {
      if (!job.gone) continue;
      this.#jobs.delete(job.id);
      this.#watcher.dropped(job);
    }
  }
}
