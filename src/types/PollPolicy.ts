import type { JobSnapshot } from './JobSnapshot.js';

/** What a poll policy knows of a job. */
export interface PollContext {
  /** Milliseconds since the job was submitted; since polling began, where the time of submission is not known. */
  readonly age: number;
  /** The latest answer; absent before the first. */
  readonly snapshot?: JobSnapshot;
  /** How many reads have failed since the latest answer. */
  readonly failures: number;
}

/** Decides how many milliseconds after an answer, or after a failed read, the next read is due. */
export type PollPolicy = (context: PollContext) => number;
