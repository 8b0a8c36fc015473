import type { JobRow } from '../durable/JobRow.js';
import type { Eventually } from '../server/eventually.js';

/**
 * What became of a conditional write: another delivery has changed the row, this one does not own the job any more, or the job
 * was cancelled.
 */
export type WriteResult = 'written' | 'changed' | 'lost' | 'cancelled';

/** When a row may be written. */
export interface WriteCondition {
  /** The text that the row must have; `undefined` where there must be none. */
  readonly before: string | undefined;
  /** Whether this delivery must still own the queue's job, and the job must not be cancelled. */
  readonly owned: boolean;
}

/** Where the row of one job is kept, beside the job: a text that is written on conditions, in one step. */
export interface QueueRow {
  /** The row; `null`, `undefined` or nothing where there is none. */
  read(): Eventually<string | null | undefined>;
  /**
   * Writes the row if the conditions hold. A text that the row has already is written, as by a write whose answer was lost;
   * but what must be owned must be so still.
   */
  write(text: string, condition: WriteCondition): Eventually<WriteResult>;
}

/** A row of a job of a queue. */
export interface QueueJobRow extends JobRow {
  /** The attempt of the queue's job in which the row was last written. */
  readonly attempt?: string;
}

/** Another delivery of the job has changed its row: it is to be read again. */
export class RowChangedError extends Error {
  override readonly name = 'RowChangedError';
}

/** The job was cancelled in the queue before it was sent. */
export class QueueCancelError extends Error {
  override readonly name = 'QueueCancelError';
}

/** The queue has given the job to another worker, or is about to. */
export class JobLostError extends Error {
  override readonly name = 'JobLostError';
}
