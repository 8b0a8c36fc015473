import type { JobStore } from './JobStore.js';
import { PendingRecords } from './PendingRecords.js';

/** The input of a key that is in use. */
export interface KeyInUse {
  readonly index: number;
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
