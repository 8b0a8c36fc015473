import { Observable, delay, defer, from, of, throwError, timer, mergeMap } from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { budgetOver } from '../../src/budget/budgetOver.js';
import { budgetTerms, type BudgetOptions } from '../../src/budget/BudgetOptions.js';
import type { LeaseAnswer, LeaseReport, LeaseStore } from '../../src/budget/LeaseStore.js';
import type { Budget } from 'runpod-rx';
import { MemoryLeases } from './memoryLeases.js';

/** How long a report, and its answer, are on their way, in milliseconds. */
const LATENCY = 2;

/** An engine that several processes reach, on the clock of a test. */
export class Engine {
  readonly leases: MemoryLeases;
  readonly #scheduler: SchedulerLike;
  /** When each report was sent. */
  readonly reportedAt: number[] = [];
  /** What happens to reports: they are answered, refused at once, or never answered. */
  state: 'up' | 'refuses' | 'silent' = 'up';

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
    this.leases = new MemoryLeases(() => scheduler.now());
  }

  /** A budget of one process. The process may be cut off from the engine, and may be killed. */
  budget(options: BudgetOptions = {}): { readonly budget: Budget; cut: boolean } {
    const own = { cut: false, budget: budgetOver({ exchange: (...told) => this.#exchange(own, ...told) }, budgetTerms(options)) };
    return own;
  }

  #exchange(process: { readonly cut: boolean }, limit: string, report: LeaseReport): Observable<LeaseAnswer> {
    return defer(() => {
      this.reportedAt.push(this.#scheduler.now());
      if (this.state === 'refuses') return throwError(() => new Error('the engine is gone'));
      if (process.cut || this.state === 'silent') return new Observable<LeaseAnswer>(() => undefined);
      return timer(LATENCY, this.#scheduler).pipe(
        mergeMap(() => this.leases.exchange(limit, report)),
        delay(LATENCY, this.#scheduler),
      );
    });
  }
}
