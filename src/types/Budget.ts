import type { Observable, SchedulerLike } from 'rxjs';

/** How many requests a process may send of what a limit allows. `Infinity` where the limit has no such bound. */
export interface LimitPart {
  /** Requests per window. */
  readonly requests: number;
  /** Requests in flight at once. */
  readonly concurrent: number;
}

/** The part of a limit that a process may use. */
export interface Lease extends LimitPart {
  /** Until when the lease holds, on the clock of {@link BudgetedRequests.scheduler}. After that, only cancels are sent by it. */
  readonly until: number;
  /** The part that the process would get if it wanted all: reads of jobs are planned by it. */
  readonly obtainable: LimitPart;
}

/** What a process uses of a limit at a moment, and wants. */
export interface BudgetUse {
  /** The whole limit, for all processes together. */
  readonly limit: LimitPart;
  /** The window of the limit, in milliseconds. */
  readonly per: number;
  /** How many requests count against the rate: those in flight, and those answered within the last window. */
  readonly counted: number;
  /** How many requests are in flight. */
  readonly inFlight: number;
  /** How many requests wait for their turn. */
  readonly waiting: number;
}

/** The requests of one operation of an endpoint that a process sends within a budget. */
export interface BudgetedRequests {
  /** Measures and waits. Its times need not be dates. */
  readonly scheduler: SchedulerLike;
  /** Emits when a request has to wait. */
  readonly waits$: Observable<void>;
  /** What is used now. */
  use(): BudgetUse;
}

/**
 * Divides limits among processes. `redisBudget` of `runpod-rx/bullmq` and `postgresBudget` of `runpod-rx/pg-boss` are
 * budgets.
 */
export interface Budget {
  /**
   * The part of a limit that a process may use, as it changes. The client subscribes while requests of the operation are in
   * flight or wait, and sends none before the first lease; but requests of `cancel` go within the whole limit until then.
   * A lease with fewer requests than are counted sends no more until enough of them no longer count.
   *
   * Does not complete. Where it errors, the error is reported as unhandled, and the client goes by its own limits. On
   * unsubscribing, what the process does not use is given back.
   *
   * @param operation - the name of the operation, such as `run`
   * @param requests - what the process sends; the same object for each subscription
   */
  acquire(endpointId: string, operation: string, requests: BudgetedRequests): Observable<Lease>;
}
