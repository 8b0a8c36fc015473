import type { JobStore } from './JobStore.js';
import { PendingRecords } from './PendingRecords.js';

/** A key that is in use, and whether its input has just failed: the pipeline may give it again. */
export interface KeyInUse {
  /** The `durable` that uses it. */
  readonly usedBy: object;
  readonly index: number;
  failed: boolean;
}

/** What this process does with a store, by whichever `durable`: two of them must not submit the job of one key. */
export interface StoreUse {
  readonly keys: Map<string, KeyInUse>;
  readonly pending: PendingRecords;
}

const uses = new WeakMap<JobStore, StoreUse>();

export function storeUse(store: JobStore): StoreUse {
  const use = uses.get(store) ?? { keys: new Map<string, KeyInUse>(), pending: new PendingRecords() };
  uses.set(store, use);
  return use;
}
