import { JobModel, type JobEnd, type WorkerReport, type Submission } from './JobModel.js';
import { uuid, type Random } from './random.js';
import { DEFAULT_TTL, type EndpointSettings } from './settings.js';
import { endRun, renew, requeue, endJob } from './transitions.js';

/** How often jobs that nobody can read any more are dropped, in milliseconds. */
const SWEEP_INTERVAL = 60_000;

/** Who wants to know what becomes of a queue's jobs. */
export interface QueueWatcher {
  /** It was submitted. */
  readonly accepted: (job: JobModel) => void;
  /** It came to its end, and can be read. */
  readonly ended: (job: JobModel) => void;
  /** It can no longer be read, and the queue has let go of it. */
  readonly dropped: (job: JobModel) => void;
}

/**
 * The jobs of one endpoint: which wait, which can be read, and what clients may do to them. It knows nothing of how
 * workers run them: `onWork` tells them that there is something to take, `next` takes it.
 */
export class JobQueue {
  readonly #random: Random;
  readonly #watcher: QueueWatcher;
  readonly counters = { completed: 0, failed: 0, retried: 0 };
  readonly #jobs = new Map<string, JobModel>();
  /** Those that wait or run. */
  readonly #unfinished = new Set<JobModel>();
  #pending = new Set<JobModel>();
  /** When the first time to live of the living is over, at the earliest. */
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

  /** Calls back whenever a job has come to wait; calling what it returns ends that. */
  onWork(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  submit(submission: Submission): JobModel {
    const { id: endpointId, region, retention } = this.settings;
    const now = this.#now;
    this.#sweep(now);
    const id = `${submission.operation === 'runsync' ? 'sync-' : ''}${uuid(this.#random)}${region && `-${region}`}`;
    const ttl = submission.policy.ttl ?? DEFAULT_TTL;
    const job = new JobModel(id, endpointId, submission, now, ttl, retention[submission.operation]);
    this.#jobs.set(id, job);
    this.#watcher.accepted(job);
    this.#enqueue(job);
    return job;
  }

  /** The job, as long as it can be read. */
  find(id: string): JobModel | undefined {
    const now = this.#now;
    this.#sweep(now);
    const job = this.#jobs.get(id);
    if (!job) return undefined;
    this.#age(job, now);
    return job.gone ? undefined : job;
  }

  /** Takes the job that waits longest out of the queue. */
  next(): JobModel | undefined {
    for (const job of this.#pending) {
      this.#age(job, this.#now);
      // Ageing may just have taken it out.
      if (this.#pending.delete(job)) return job;
    }
    return undefined;
  }

  /** How many waiting jobs ask for more workers, counted up to `most`. */
  countWanting(most: number): number {
    let count = 0;
    for (const job of this.#pending) {
      if (count >= most) break;
      if (!job.submission.policy.lowPriority) count += 1;
    }
    return count;
  }

  /** How many jobs wait, and how many run. */
  depth(): { readonly inQueue: number; readonly inProgress: number } {
    this.ageAll();
    return { inQueue: this.#pending.size, inProgress: this.#unfinished.size - this.#pending.size };
  }

  /** Jobs that are not over, oldest first. */
  listUnfinished(): readonly JobModel[] {
    this.ageAll();
    return [...this.#jobs.values()].filter((job) => !job.over);
  }

  /** Stops a job that is not over. Whether it was cancelled by this. */
  cancel(job: JobModel): boolean {
    job.cancelRequests += 1;
    if (job.over) return false;
    this.#end(job, 'cancelled', 'cancelled');
    return true;
  }

  /** Whether the job was put into the queue again. */
  retry(job: JobModel): boolean {
    if (job.status !== 'FAILED' && job.status !== 'TIMED_OUT') return false;
    this.counters.retried += 1;
    renew(job, this.#now);
    this.#enqueue(job);
    return true;
  }

  /** Removes every waiting job; says how many. */
  purge(): number {
    this.ageAll();
    const purged = [...this.#pending];
    for (const job of purged) {
      job.gone = this.settings.variants.purged === 'gone';
      this.#end(job, 'purged', 'cancelled');
    }
    return purged.length;
  }

  /** Runs a job again, before all others, because its worker fell silent. */
  runAgain(job: JobModel): void {
    this.counters.retried += 1;
    requeue(job);
    this.#pending = new Set([job, ...this.#pending]);
    this.#announce();
  }

  /** Deletes a job whose time to live is over, wherever it is. */
  expire(job: JobModel): void {
    job.gone = this.settings.variants.expired === 'gone';
    this.#end(job, job.gone ? 'expired' : 'timed-out', 'expired', job.ttlAt);
  }

  /** The job has come to its end. */
  conclude(job: JobModel, end: JobEnd, report: WorkerReport, at = this.#now): void {
    endJob(job, end, report, at);
    this.#unfinished.delete(job);
    // Of a job that is gone nobody hears any more.
    if (!job.gone) this.#watcher.ended(job);
  }

  /** Lets time act on every job that is not over, so that what is due has happened. */
  ageAll(): void {
    const now = this.#now;
    this.#sweep(now);
    // Asked for with every look at the endpoint, however many jobs there are.
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
    // The time to live deletes results too, but not the very state that says it is over.
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
