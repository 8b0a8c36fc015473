import type { JobRef } from '../index.js';

/**
 * How far the job of a key has come.
 *
 * - `wanted`: nothing was sent, or the service has refused what was sent, or this side has cancelled it.
 * - `sending`: it was sent, or was about to be; there is no id. After a restart, the row is ambiguous.
 * - `submitted`: it has an id.
 * - `ended`: it is over.
 */
export type RowState = 'wanted' | 'sending' | 'submitted' | 'ended';

/**
 * How a job has ended: the job object of the service's last answer, or why there is none. `gone`: the service does not know
 * the job any more, so its result is lost. `deadline`: this side has cancelled it at its `timeout`.
 */
export type JobEnd =
  | { readonly job: Readonly<Record<string, unknown>> }
  | { readonly lost: 'gone' | 'deadline'; readonly message: string };

/** What is remembered of one key. Plain JSON, but for integers beyond 2^53 that an endpoint's `parse` makes. */
export interface JobRow {
  /** Your own name of the input. */
  readonly key: string;
  /** Tells inputs apart: of the endpoint's id and the input. */
  readonly fingerprint: string;
  readonly state: RowState;
  /** Which job of the key this is, from 1. A job that this side has cancelled, or that is to run again, has a successor. */
  readonly generation: number;
  /** When it was last about to be sent, in milliseconds since 1970. */
  readonly sentAt?: number;
  /** What the webhook of the job that was sent is known by, where it has one. */
  readonly webhookKey?: string;
  /** The job, from `submitted` on. */
  readonly ref?: JobRef;
  /** Whether this side was about to cancel the job. */
  readonly leaving?: boolean;
  /** How it ended, where it has. */
  readonly end?: JobEnd;
  /** Whether the pipeline has taken its result, and the option `commit` has stored it. */
  readonly committed?: boolean;
}

/** The row of a key that nothing is known of. */
export function newRow(key: string, fingerprint: string): JobRow {
  return { key, fingerprint, state: 'wanted', generation: 1 };
}

/** The row for the next job of a key. */
export function nextGeneration({ key, fingerprint, generation }: JobRow): JobRow {
  return { key, fingerprint, state: 'wanted', generation: generation + 1 };
}
