import { RATE_WINDOW } from '../../protocol/limits.js';
import { operations } from '../../protocol/operations.js';
import type { Limits, OperationLimits } from '../../types/Limits.js';

/** The documented limits, from the table of operations. */
const DOCUMENTED_LIMITS: Limits = {
  ...Object.fromEntries(
    Object.entries(operations).flatMap(([name, { limits }]) => (limits ? [[name, limits] as const] : [])),
  ),
  // The client has no `openai` operation, so the table of operations has no limit for it.
  openai: { requests: 2000, concurrent: 400 },
};

/**
 * Requests allowed for each running worker. The limit is this number times the running workers, if that is more than the
 * fixed limit. Source: RunPod documentation of December 2024; the current pages name the rule without these numbers.
 */
const PER_WORKER: Readonly<Record<string, number>> = {
  run: 200,
  runsync: 400,
  status: 400,
  'status-sync': 400,
  openai: 400,
  cancel: 20,
};

interface Count {
  readonly limits: OperationLimits;
  inFlight: number;
  /** When requests came, oldest first. Entries before index `from` are out of the window. */
  times: number[];
  from: number;
}

/** Counts the requests to one endpoint, separately for each operation. A refused request is not counted. */
export class RequestQuota {
  readonly #window: 'sliding' | 'fixed';
  readonly #counts = new Map<string, Count>();

  constructor(limits: 'documented' | Limits, window: 'sliding' | 'fixed') {
    this.#window = window;
    this.#perWorker = limits === 'documented' ? PER_WORKER : {};
    for (const [operation, bounds] of Object.entries(limits === 'documented' ? DOCUMENTED_LIMITS : limits)) {
      this.#counts.set(operation, { limits: bounds, inFlight: 0, times: [], from: 0 });
    }
  }

  readonly #perWorker: Readonly<Record<string, number>>;

  /** Admits a request and returns `undefined`, or returns the milliseconds until a request could be admitted. */
  enter(operation: string, now: number, runningWorkers: () => number): number | undefined {
    const count = this.#counts.get(operation);
    if (!count) return undefined;
    const { requests, concurrent = Infinity, per = RATE_WINDOW } = count.limits;
    if (count.inFlight >= concurrent) return 1_000;
    if (requests !== undefined) {
      const since = this.#window === 'sliding' ? now - per + 1 : Math.floor(now / per) * per;
      const { times } = count;
      while ((times[count.from] ?? Infinity) < since) count.from += 1;
      const counted = times.length - count.from;
      if (counted >= requests && counted >= (this.#perWorker[operation] ?? 0) * runningWorkers()) {
        return (this.#window === 'sliding' ? (times[count.from] ?? now) : since) + per - now;
      }
      // Remove old entries only when they are the majority: removing one at each request would move a long array each time.
      if (count.from > counted) times.splice(0, count.from);
      if (times.length === counted) count.from = 0;
      times.push(now);
    }
    count.inFlight += 1;
    return undefined;
  }

  /** An admitted request was answered, or its client disconnected. */
  leave(operation: string): void {
    const count = this.#counts.get(operation);
    if (count) count.inFlight -= 1;
  }
}
