import { catchError, defer, forkJoin, map, of, type Observable, type SchedulerLike } from 'rxjs';
import { isRunpodError, isTerminal } from '../../index.js';
import type { JobReads } from './JobReads.js';
import type { ProxyQuota } from './ProxyOptions.js';
import { QuotaRefusal } from './QuotaRefusal.js';

const MINUTE = 60_000;

/** How long a page waits before it submits again, where the user's jobs are too many, in seconds. */
const RETRY_AFTER = 5;

/**
 * How long a submission counts whose page has left, unless it is answered before, in milliseconds: the job may run until its
 * cancel has arrived.
 */
const ABANDONED_COUNTS = 30_000;

/** How many users are kept before those are forgotten of whom nothing counts any more. */
const MANY_USERS = 10_000;

/** How long a job can live, in milliseconds: those of a user who does not come back are never read. */
const LONGEST_JOB = 7 * 86_400_000;

/** What counts of a user at an endpoint. */
interface Usage {
  /** The jobs that are not known to be over. */
  readonly jobs: Set<string>;
  /** The submissions on their way. */
  readonly submitting: Set<Submission>;
  /** When the submissions of the last minute were made, by the scheduler's clock. */
  submissions: readonly number[];
  /** When the last submission was made. */
  lastAt: number;
}

interface Submission {
  /** Until when it counts, by the scheduler's clock. */
  until: number;
}

/** A submission within the quota. */
export interface QuotaLease {
  /** The submission was answered: with a job's id, or with none where there is no job. */
  answered(id?: string): void;
  /** Its page has left. What was sent may be a job all the same, so it counts for a while. */
  abandoned(): void;
}

/** Counts the jobs of each user at one endpoint. */
export class Quotas {
  readonly #maxJobs: number;
  readonly #perMinute: number;
  readonly #scheduler: SchedulerLike;
  readonly #usages = new Map<string, Usage>();
  /** At how many users the idle ones are looked for: after each search at twice as many as were left. */
  #many = MANY_USERS;

  constructor({ jobs = Infinity, perMinute = Infinity }: ProxyQuota, scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
    this.#maxJobs = jobs;
    this.#perMinute = perMinute;
  }

  /**
   * Counts one submission of a user. Errors with a `QuotaRefusal` where it goes beyond the quota. Before a job is refused for
   * those that run, these are read: some may be over.
   */
  lease(user: string, reads: JobReads): Observable<QuotaLease> {
    return defer(() => {
      const usage = this.#usageOf(user);
      this.#checkRate(usage);
      if (this.#isFree(usage)) return of(this.#count(usage));
      return forgetEnded(usage.jobs, reads).pipe(
        map(() => {
          // Others may have submitted meanwhile.
          this.#checkRate(usage);
          if (this.#isFree(usage)) return this.#count(usage);
          throw new QuotaRefusal(`the quota is ${this.#maxJobs} jobs at once`, RETRY_AFTER);
        }),
      );
    });
  }

  /** How many users are kept. */
  get size(): number {
    return this.#usages.size;
  }

  #checkRate(usage: Usage): void {
    const now = this.#scheduler.now();
    usage.submissions = usage.submissions.filter((at) => now - at < MINUTE);
    const [first = now] = usage.submissions;
    if (usage.submissions.length < this.#perMinute) return;
    throw new QuotaRefusal(`the quota is ${this.#perMinute} jobs a minute`, (first + MINUTE - now) / 1000);
  }

  #isFree({ jobs, submitting }: Usage): boolean {
    const now = this.#scheduler.now();
    for (const one of submitting) if (one.until <= now) submitting.delete(one);
    return jobs.size + submitting.size < this.#maxJobs;
  }

  #count(usage: Usage): QuotaLease {
    const submission = { until: Infinity };
    usage.submitting.add(submission);
    usage.lastAt = this.#scheduler.now();
    if (this.#perMinute < Infinity) usage.submissions = [...usage.submissions, usage.lastAt];
    return {
      answered: (id) => {
        usage.submitting.delete(submission);
        if (id !== undefined && this.#maxJobs < Infinity) usage.jobs.add(id);
      },
      abandoned: () => {
        submission.until = this.#scheduler.now() + ABANDONED_COUNTS;
      },
    };
  }

  #usageOf(user: string): Usage {
    const known = this.#usages.get(user);
    if (known) return known;
    if (this.#usages.size >= this.#many) this.#forgetIdle();
    const usage: Usage = { jobs: new Set(), submitting: new Set(), submissions: [], lastAt: -Infinity };
    this.#usages.set(user, usage);
    return usage;
  }

  #forgetIdle(): void {
    const now = this.#scheduler.now();
    for (const [user, { jobs, submitting, lastAt }] of this.#usages) {
      const counted = jobs.size ? LONGEST_JOB : MINUTE;
      if (!submitting.size && now - lastAt >= counted) this.#usages.delete(user);
    }
    this.#many = Math.max(MANY_USERS, 2 * this.#usages.size);
  }
}

/** Reads jobs, and takes out those that are over or gone. A read that fails says nothing. */
function forgetEnded(jobs: Set<string>, reads: JobReads): Observable<unknown> {
  const checks = [...jobs].map((id) =>
    reads.read(id).pipe(
      map((snapshot) => isTerminal(snapshot)),
      catchError((error: unknown) => of(isRunpodError(error, 'job_not_found') || isRunpodError(error, 'job_expired'))),
      map((isOver) => isOver && jobs.delete(id)),
    ),
  );
  return checks.length ? forkJoin(checks) : of(undefined);
}
