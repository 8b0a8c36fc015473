import type { Eventually } from '../server/eventually.js';

/** How far a batch has come. */
export type BatchStage =
  /** It is about to be made. */
  | 'creating'
  /** It is a draft, and is being filled. */
  | 'filling'
  /** It is filled, and its requests are known by their ids. */
  | 'filled'
  /** It runs, or ran. */
  | 'finalized'
  /** All its items were given. */
  | 'given';

/** What is remembered of one batch of a run. Plain JSON. */
export interface BatchRecord {
  readonly v: 1;
  /** Which batch of the run this is, from 0. */
  readonly number: number;
  /** Tells the requests of the batch apart from others. */
  readonly fingerprint: string;
  readonly stage: BatchStage;
  /** The batches that were there before it was made, by their ids. */
  readonly before?: readonly string[];
  /** When it was about to be made, in milliseconds since 1970. */
  readonly createdAt?: number;
  readonly id?: string;
  /** The id of its first request, by which the order of its list is known. */
  readonly first?: string;
  /** The ids of its requests, in their order. */
  readonly children?: readonly string[];
}

/**
 * Where a run of batches remembers how far it is. Each method gives a value, a promise, or an Observable, of which the first value
 * counts. What was written must be there after a crash from the moment that `write` has completed.
 */
export interface BatchStore {
  /** The records of the run, in any order. */
  read(): Eventually<readonly BatchRecord[]>;
  /** Writes a record, in place of that of the same number. */
  write(record: BatchRecord): Eventually<unknown>;
}

/** A store in this process, for tests: a crash forgets it. */
export function memoryBatchStore(): BatchStore {
  const records = new Map<number, BatchRecord>();
  return {
    read: () => [...records.values()],
    write: (record) => {
      records.set(record.number, record);
    },
  };
}
