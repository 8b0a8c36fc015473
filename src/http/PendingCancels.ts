import { BehaviorSubject, ReplaySubject, Subscription, first, map, share, type Observable } from 'rxjs';
import type { JobRef } from '../types/JobRef.js';
import type { SettleReport } from '../types/SettleReport.js';

/** What became of a job that was left. */
export type Outcome = keyof SettleReport;

/** How many jobs of each kind a report holds, the newest: it may never be asked for. */
const KEPT = 10_000;

/** Keeps count of what goes on after its subscriber left: answers still to be read, and jobs being cancelled. */
export class PendingCancels {
  readonly #outstanding$ = new BehaviorSubject(0);
  #report: Record<Outcome, JobRef[]> = { cancelled: [], finished: [], abandoned: [] };

  readonly #settled$ = this.#outstanding$.pipe(
    first((outstanding) => outstanding === 0),
    map(() => {
      const report = this.#report;
      this.#report = { cancelled: [], finished: [], abandoned: [] };
      return report;
    }),
    // Who asks in answer to a report gets the same one.
    share({ connector: () => new ReplaySubject(1) }),
  );

  /** Says that something is outstanding, until the returned subscription is ended. */
  track(): Subscription {
    const outstanding$ = this.#outstanding$;
    outstanding$.next(outstanding$.value + 1);
    return new Subscription(() => {
      outstanding$.next(outstanding$.value - 1);
    });
  }

  record(outcome: Outcome, ref: JobRef): void {
    const list = this.#report[outcome];
    list.push(ref);
    if (list.length > KEPT) list.shift();
  }

  /** One report, of all since the last, once nothing is outstanding; the same for all who wait for it. */
  settled(): Observable<SettleReport> {
    return this.#settled$;
  }
}
