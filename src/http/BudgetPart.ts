import { Subject, Subscription, type Observable, type SchedulerLike } from 'rxjs';
import { reportUnhandled } from '../errors/reportUnhandled.js';
import type { Budget, BudgetUse, BudgetedRequests, Lease, LimitPart } from '../types/Budget.js';

/** Requests of this operation do not wait for a lease: a job that is not cancelled costs money. */
const CANCEL = 'cancel';

const UNBOUND: LimitPart = { requests: Infinity, concurrent: Infinity };
const NOTHING: LimitPart = { requests: 0, concurrent: 0 };

/** What a limiter may use of a budget. Holds a part while it is in use. */
export class BudgetPart implements BudgetedRequests {
  readonly scheduler: SchedulerLike;
  readonly waits$ = new Subject<void>();
  readonly use: () => BudgetUse;
  readonly #lease$: Observable<Lease>;
  /** What holds while there is no lease. */
  #unleased: LimitPart;
  readonly #expires: boolean;
  #lease: Lease | undefined;
  #held = Subscription.EMPTY;

  /** @param use - what the limiter uses now */
  constructor(budget: Budget, endpointId: string, operation: string, scheduler: SchedulerLike, use: () => BudgetUse) {
    this.scheduler = scheduler;
    this.use = use;
    this.#expires = operation !== CANCEL;
    this.#unleased = this.#expires ? NOTHING : UNBOUND;
    this.#lease$ = budget.acquire(endpointId, operation, this);
  }

  /** What may be used now. */
  get allowed(): LimitPart {
    const lease = this.#lease;
    return lease && !(this.#expires && this.scheduler.now() > lease.until) ? lease : this.#unleased;
  }

  /** What could be used if all were wanted. */
  get obtainable(): LimitPart {
    return this.#lease?.obtainable ?? UNBOUND;
  }

  /**
   * Holds a part until `release`.
   *
   * @param onChange - called when the part changes, which may be at once
   */
  hold(onChange: () => void): void {
    if (!this.#held.closed) return;
    const change = (lease: Lease | undefined) => {
      this.#lease = lease;
      onChange();
    };
    const held = new Subscription();
    this.#held = held;
    held.add(
      this.#lease$.subscribe({
        next: change,
        error: (error: unknown) => {
          reportUnhandled(error);
          this.#unleased = UNBOUND;
          change(undefined);
        },
      }),
    );
  }

  /** Gives the part back. */
  release(): void {
    this.#held.unsubscribe();
    this.#lease = undefined;
  }
}
