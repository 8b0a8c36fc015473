import type { JobRow, RowState } from '../JobRow.js';
import { rowOfJson, rowToJson } from '../rowJson.js';

/** A change of a table of rows. */
export type RowChange =
  | { readonly type: 'put'; readonly row: JobRow }
  | { readonly type: 'commit'; readonly key: string }
  | { readonly type: 'delete'; readonly key: string };

/** A row as a table has it. */
export interface RowColumns {
  readonly key: string;
  readonly state: RowState;
  /** A truth as the database has it: 1 or `true`. */
  readonly committed: unknown;
  /** The rest, as JSON. */
  readonly data: string;
}

export function toColumns({ key, state, committed = false, ...rest }: JobRow): RowColumns {
  return { key, state, committed, data: rowToJson(rest) };
}

export function fromColumns({ key, state, committed, data }: RowColumns): JobRow {
  // The rest is what `toColumns` has left.
  const row = { key, state, ...rowOfJson(data) } as JobRow;
  return committed ? { ...row, committed: true } : row;
}
