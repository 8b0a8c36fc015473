import type { RequestRecord } from '../RequestRecord.js';
import type { RequestCounts } from './EmulatorState.js';

/** Counts requests as they end. The counts include requests that the ledger has forgotten. */
export class RequestCounter {
  readonly #known: (operation: string) => boolean;
  #total = 0;
  #aborted = 0;
  #failed = 0;
  readonly #byOperation = new Map<string, number>();
  readonly #byStatus = new Map<string, number>();
  readonly #byFault = new Map<string, number>();

  /** @param known - whether the emulator serves an operation; all others count together as `unknown` */
  constructor(known: (operation: string) => boolean) {
    this.#known = known;
  }

  count({ operation, status, fault, aborted, failure }: RequestRecord): void {
    this.#total += 1;
    if (aborted) this.#aborted += 1;
    if (failure !== undefined) this.#failed += 1;
    if (operation !== undefined) add(this.#byOperation, this.#known(operation) ? operation : 'unknown');
    if (status !== undefined) add(this.#byStatus, String(status));
    if (fault !== undefined) add(this.#byFault, fault);
  }

  counts(): RequestCounts {
    return {
      total: this.#total,
      aborted: this.#aborted,
      failed: this.#failed,
      byOperation: Object.fromEntries(this.#byOperation),
      byStatus: Object.fromEntries(this.#byStatus),
      byFault: Object.fromEntries(this.#byFault),
    };
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
