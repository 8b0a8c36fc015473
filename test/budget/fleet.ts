import {
  NEVER,
  VirtualTimeScheduler,
  defer,
  delay,
  mergeMap,
  throwError,
  timer,
  type Observable,
  type SchedulerAction,
  type SchedulerLike,
  type Subscription,
} from 'rxjs';
import type { Budget, OperationLimits } from 'runpod-rx';
import { budgetOver } from '../../src/budget/budgetOver.js';
import { budgetTerms, type BudgetOptions } from '../../src/budget/BudgetOptions.js';
import type { LeaseAnswer, LeaseReport } from '../../src/budget/LeaseStore.js';
import { BudgetPart } from '../../src/http/BudgetPart.js';
import { RateLimiter } from '../../src/http/RateLimiter.js';
import { MemoryLeases } from './memoryLeases.js';

/** The engine that all processes reach: Redis, or Postgres. */
export class Engine {
  readonly leases: MemoryLeases;
  readonly #scheduler: SchedulerLike;
  readonly #latency: number;
  /** When each report was sent. */
  readonly reportedAt: number[] = [];
  /** What happens to reports: they are answered, refused at once, or never answered. */
  state: 'up' | 'refuses' | 'silent' = 'up';

  /** @param latency - how long a report is on its way, and how long its answer, in milliseconds */
  constructor(scheduler: SchedulerLike, latency = 2) {
    this.#scheduler = scheduler;
    this.#latency = latency;
    this.leases = new MemoryLeases(() => scheduler.now());
  }

  /**
   * The budget of one process.
   *
   * @param hears - runs what the process hears of the engine
   */
  budget(hears: SchedulerLike, options: BudgetOptions = {}, isCut = () => false): Budget {
    const exchange = (limit: string, report: LeaseReport) =>
      this.#exchange(limit, report, isCut).pipe(delay(this.#latency, hears));
    return budgetOver({ exchange }, budgetTerms(options));
  }

  #exchange(limit: string, report: LeaseReport, isCut: () => boolean): Observable<LeaseAnswer> {
    return defer(() => {
      this.reportedAt.push(this.#scheduler.now());
      if (this.state === 'refuses') return throwError(() => new Error('the engine is gone'));
      if (this.state === 'silent' || isCut()) return NEVER;
      return timer(this.#latency, this.#scheduler).pipe(mergeMap(() => this.leases.exchange(limit, report)));
    });
  }
}

/** Counts what the service sees. */
export class Service {
  readonly arrivedAt: number[] = [];
  mostAtOnce = 0;
  #inFlight = 0;

  arrive(now: number): void {
    this.arrivedAt.push(now);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#inFlight);
  }

  leave(): void {
    this.#inFlight--;
  }

  /** The most requests of any window, wherever it begins. Windows that begin at fixed times are among them. */
  mostInWindow(per: number): number {
    let first = 0;
    let most = 0;
    for (const [index, at] of this.arrivedAt.entries()) {
      while (this.arrivedAt[first]! <= at - per) first++;
      most = Math.max(most, index - first + 1);
    }
    return most;
  }
}

/** The scheduler of a process that can be stopped, as by `SIGSTOP`, and killed: nothing of it runs then. */
class ProcessScheduler implements SchedulerLike {
  stoppedUntil = 0;
  readonly #base: SchedulerLike;
  readonly #lag: number;

  /** @param lag - how much later something runs for which the process was stopped, in milliseconds */
  constructor(base: SchedulerLike, lag = 0) {
    this.#base = base;
    this.#lag = lag;
  }

  now(): number {
    return this.#base.now();
  }

  schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, after = 0, given?: T): Subscription {
    const wait = () => this.stoppedUntil - this.now();
    const lag = this.#lag;
    return this.#base.schedule<T>(
      function (state) {
        if (wait() === Infinity) return;
        if (wait() > 0) this.schedule(state, wait() + lag);
        else work.call(this, state);
      },
      after,
      given,
    );
  }
}

/** How long requests take, in milliseconds. */
export interface Way {
  readonly there: number;
  readonly work: number;
  readonly back: number;
}

export interface ProcessOptions extends BudgetOptions {
  readonly operation?: string;
  /** How many workers the process knows of. */
  readonly workers?: number;
}

/** A process that sends requests of one operation within a budget. */
export class Process {
  cut = false;
  sent = 0;
  readonly #base: SchedulerLike;
  readonly #own: ProcessScheduler;
  /** Runs what the process hears: it is read after the timers that are due. */
  readonly #hearing: ProcessScheduler;
  readonly #limiter: RateLimiter;
  readonly #service: Service;

  constructor(
    base: SchedulerLike,
    engine: Engine,
    service: Service,
    limits: OperationLimits,
    { operation = 'run', workers = 0, ...options }: ProcessOptions = {},
  ) {
    this.#base = base;
    this.#own = new ProcessScheduler(base);
    this.#hearing = new ProcessScheduler(base, 1);
    this.#service = service;
    const budget = engine.budget(this.#hearing, options, () => this.cut);
    this.#limiter = new RateLimiter(
      limits,
      this.#own,
      () => workers,
      (use) => new BudgetPart(budget, 'demo', operation, this.#own, use),
    );
  }

  send(count: number, way: Way): void {
    for (let nth = 0; nth < count; nth++)
      this.#limiter.run(this.#request(way), { urgent: false, onWait: () => undefined }).subscribe();
  }

  /** Sends that many requests at once, and one more for each that is answered, until a moment. */
  keepBusy(concurrency: number, way: Way, until: number): void {
    for (let nth = 0; nth < concurrency; nth++) {
      const next = (): void => {
        if (this.#base.now() >= until) return;
        this.#limiter.run(this.#request(way), { urgent: false, onWait: () => undefined }).subscribe({ complete: next });
      };
      next();
    }
  }

  /** Stops it for a while, or for ever. */
  stop(ms = Infinity): void {
    const until = Math.max(this.#own.stoppedUntil, this.#base.now() + ms);
    this.#own.stoppedUntil = until;
    this.#hearing.stoppedUntil = until;
  }

  #request({ there, work, back }: Way): Observable<unknown> {
    return defer(() => {
      this.sent++;
      this.#base.schedule(() => {
        this.#service.arrive(this.#base.now());
      }, there);
      this.#base.schedule(() => {
        this.#service.leave();
      }, there + work);
      return timer(there + work + back, this.#hearing);
    });
  }
}

/** A virtual clock, an engine and a service. */
export function fleet(
  limits: OperationLimits,
  { latency, ...options }: BudgetOptions & { readonly latency?: number } = {},
) {
  const scheduler = new VirtualTimeScheduler();
  const engine = new Engine(scheduler, latency);
  const service = new Service();
  return {
    scheduler,
    engine,
    service,
    start: (own: ProcessOptions = {}) => new Process(scheduler, engine, service, limits, { ...options, ...own }),
    at: (ms: number, act: () => void) => {
      scheduler.schedule(act, ms - scheduler.now());
    },
    until: (ms: number) => {
      scheduler.schedule(() => undefined, ms - scheduler.now());
      scheduler.maxFrames = ms;
      scheduler.flush();
    },
  };
}
