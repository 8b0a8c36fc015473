import type { Eventually } from '../server/eventually.js';
import type { JobRow, RowState } from './JobRow.js';

/**
 * Where `durable` remembers its jobs. Each method gives a value, a promise, or an Observable, of which the first value
 * counts. A store has one owner at a time: one process, and in it one `durable`.
 *
 * What was written must be there after a crash from the moment that `put` has completed: the library sends nothing before
 * that. Where a store is not sure that it has written, it must fail. A method that takes longer than two minutes has failed.
 */
export interface JobStore {
  /** The row of a key; `null`, `undefined` or nothing where there is none. */
  get(key: string): Eventually<JobRow | null | undefined>;
  /** Writes a row, in place of that of the same key. */
  put(row: JobRow): Eventually<unknown>;
  /** Marks the row of a key as committed, where it has ended. It may be lost in a crash. */
  commit(key: string): Eventually<unknown>;
  /** Forgets a key: its input is run again, as if it was new. */
  delete(key: string): Eventually<unknown>;
  /** All rows, or those in a state: `sending` lists what is ambiguous. */
  rows(state?: RowState): AsyncIterable<JobRow>;
  /** Gives the store up, so that another process may own it. */
  close(): Eventually<unknown>;
}
