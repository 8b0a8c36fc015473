import { BehaviorSubject, ReplaySubject, Subscription, first, map, share, type Observable } from 'rxjs';
import type { JobRef } from '../types/JobRef.js';
import type { LostSubmission, SettleReport } from '../types/SettleReport.js';

/** The lists of a report that hold jobs. */
type JobOutcome = Exclude<keyof SettleReport, 'lost'>;

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
  record(outcome: JobOutcome, ref: JobRef): void {
    addNewest(this.#report[outcome], ref);
  }

  /** Puts a submission whose answer was lost into the next report. */
  recordLost(submission: LostSubmission): void {
    addNewest(this.#report.lost, submission);
  }

  /** Emits one report once nothing is pending, the same to all who wait, and completes. */
  settled(): Observable<SettleReport> {
    return this.#settled$;
  }
}

interface OpenReport extends Record<JobOutcome, JobRef[]> {
  lost: LostSubmission[];
}

function emptyReport(): OpenReport {
  return { cancelled: [], finished: [], abandoned: [], lost: [] };
}

function addNewest<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > MAX_REPORTED_JOBS) list.shift();
}
