import { catchError, defer, forkJoin, map, of, throwError, type Observable, type SchedulerLike } from 'rxjs';
import { isRunpodError, isTerminal } from '../../index.js';
import type { JobReads } from './JobReads.js';
import type { ProxyQuota } from './ProxyOptions.js';
import { QuotaRefusal } from './QuotaRefusal.js';

const MINUTE = 60_000;

/** How long a page waits before it submits again, where the user's jobs are too many, in seconds. */
const RETRY_AFTER = 5;

/** How many users are kept before those are forgotten of whom nothing counts any more. */
const MANY_USERS = 10_000;

/** What counts of a user at an endpoint. */
interface Usage {
  /** The jobs that are not known to be over. */
  readonly jobs: Set<string>;
  /** The submissions on their way. */
  submitting: number;
  /** When the submissions of the last minute were made, by the scheduler's clock. */
  submissions: readonly number[];
}

/** A submission within the quota, until it is answered: called with the job's id, or with none where there is no job. */
export type QuotaLease = (id?: string) => void;

/** Counts the jobs of each user at one endpoint. */
export class Quotas {
  readonly #maxJobs: number;
  readonly #perMinute: number;
  readonly #scheduler: SchedulerLike;
  readonly #usages = new Map<string, Usage>();

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
      const now = this.#scheduler.now();
      usage.submissions = usage.submissions.filter((at) => now - at < MINUTE);
      const [first = now] = usage.submissions;
      if (usage.submissions.length >= this.#perMinute) {
        const words = `the quota is ${this.#perMinute} jobs a minute`;
        return throwError(() => new QuotaRefusal(words, (first + MINUTE - now) / 1000));
      }
      if (this.#isFree(usage)) return of(this.#count(usage, now));
      return forgetEnded(usage.jobs, reads).pipe(
        map(() => {
          if (this.#isFree(usage)) return this.#count(usage, now);
          throw new QuotaRefusal(`the quota is ${this.#maxJobs} jobs at once`, RETRY_AFTER);
        }),
      );
    });
  }

  #isFree({ jobs, submitting }: Usage): boolean {
    return jobs.size + submitting < this.#maxJobs;
  }

  #count(usage: Usage, now: number): QuotaLease {
    usage.submitting++;
    usage.submissions = [...usage.submissions, now];
    return (id) => {
      usage.submitting--;
      if (id !== undefined && this.#maxJobs < Infinity) usage.jobs.add(id);
    };
  }

  #usageOf(user: string): Usage {
    const known = this.#usages.get(user);
    if (known) return known;
    if (this.#usages.size >= MANY_USERS) this.#forgetIdle();
    const usage: Usage = { jobs: new Set(), submitting: 0, submissions: [] };
    this.#usages.set(user, usage);
    return usage;
  }

  #forgetIdle(): void {
    const now = this.#scheduler.now();
    for (const [user, { jobs, submitting, submissions }] of this.#usages) {
      const last = submissions.at(-1) ?? -Infinity;
      if (!jobs.size && !submitting && now - last >= MINUTE) this.#usages.delete(user);
    }
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
