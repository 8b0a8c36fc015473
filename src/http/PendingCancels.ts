import { BehaviorSubject, ReplaySubject, Subscription, first, map, share, type Observable } from 'rxjs';
import type { JobRef } from '../types/JobRef.js';
import type { SettleReport } from '../types/SettleReport.js';

/** How many jobs of each outcome a report holds, the newest: a report may never be asked for. */
const MAX_REPORTED_JOBS = 10_000;

/**
 * Counts what goes on after its subscriber left: answers that are still read, and jobs that are being cancelled. Once none
 * is pending, gives one report of the jobs since the last report.
 */
export class PendingCancels {
  readonly #pending$ = new BehaviorSubject(0);
  #report = emptyReport();

  readonly #settled$ = this.#pending$.pipe(
    first((pending) => pending === 0),
    map((): SettleReport => {
      const report = this.#report;
      this.#report = emptyReport();
      return report;
    }),
    // A subscriber that asks again while it is given a report gets the same report.
    share({ connector: () => new ReplaySubject(1) }),
  );

  /** Counts something as pending until the returned subscription is unsubscribed. */
  track(): Subscription {
    const pending$ = this.#pending$;
    pending$.next(pending$.value + 1);
    return new Subscription(() => {
      pending$.next(pending$.value - 1);
    });
  }

  /** Puts a job into the next report. */
  record(outcome: keyof SettleReport, ref: JobRef): void {
    const jobs = this.#report[outcome];
    jobs.push(ref);
    if (jobs.length > MAX_REPORTED_JOBS) jobs.shift();
  }

  /** Emits one report once nothing is pending, the same to all who wait, and completes. */
  settled(): Observable<SettleReport> {
    return this.#settled$;
  }
}

function emptyReport(): Record<keyof SettleReport, JobRef[]> {
  return { cancelled: [], finished: [], abandoned: [] };
}
