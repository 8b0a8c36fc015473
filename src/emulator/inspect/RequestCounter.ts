import type { RequestRecord } from '../RequestRecord.js';
import type { RequestCounts } from './EmulatorState.js';

/** Counts requests as they end, however many of them the ledger remembers. */
export class RequestCounter {
  private total = 0;
  private aborted = 0;
  private failed = 0;
  private readonly byOperation = new Map<string, number>();
  private readonly byStatus = new Map<string, number>();
  private readonly byFault = new Map<string, number>();

  /** Whether the operation of a request is one that the emulator knows; the others are counted as one. */
  constructor(private readonly known: (operation: string) => boolean) {}

  count({ operation, status, fault, aborted, failure }: RequestRecord): void {
    this.total += 1;
    if (aborted) this.aborted += 1;
    if (failure !== undefined) this.failed += 1;
    if (operation !== undefined) add(this.byOperation, this.known(operation) ? operation : 'unknown');
    if (status !== undefined) add(this.byStatus, String(status));
    if (fault !== undefined) add(this.byFault, fault);
  }

  counts(): RequestCounts {
    const { total, aborted, failed } = this;
    return {
      total,
      aborted,
      failed,
      byOperation: Object.fromEntries(this.byOperation),
      byStatus: Object.fromEntries(this.byStatus),
      byFault: Object.fromEntries(this.byFault),
    };
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
