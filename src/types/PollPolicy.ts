import type { JobSnapshot } from './JobSnapshot.js';

/** What a poll policy may go by. */
export interface PollContext {
  /** Milliseconds since the job was submitted, where this client knows when; else since polling began. */
  readonly age: number;
  /** The last answer; absent before the first. */
  readonly snapshot?: JobSnapshot;
  /** How many reads have failed since then. */
  readonly failures: number;
}

/** How many milliseconds after an answer the next read is due. */
export type PollPolicy = (context: PollContext) => number;
