import type { Eventually } from '../eventually.js';

/** A job of an endpoint, as its owner is kept by. */
export interface OwnedJob {
  readonly endpointId: string;
  readonly id: string;
}

/**
 * Keeps who owns which job. A job without an owner exists for nobody.
 *
 * An error of `set` means that the job belongs to nobody, so it is cancelled and the page gets an error; an error of `get`
 * is answered 503, and 424 where a job was to be run again, which then is not.
 */
export interface OwnerStore {
  /** Keeps the owner of a job that was just submitted. Keep it for as long as the job and its result live: a day and more. */
  set(job: OwnedJob, user: string): Eventually<unknown>;
  /** The owner of a job, or `undefined`. */
  get(job: OwnedJob): Eventually<string | undefined>;
}
