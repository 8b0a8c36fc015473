import type { FaultName } from './faults/FaultRule.js';
import type { AuthKind } from './model/keys.js';

/** One request and its outcome. Holds no header but `user-agent`, no bodies and never a key. */
export interface RequestRecord {
  /** Number of the request, counted from 1 in order of arrival. */
  readonly seq: number;
  /** When the request was sent, `scheduler.now()` in milliseconds. */
  readonly at: number;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly endpointId?: string;
  readonly operation?: string;
  /** The job that the request names or has submitted. */
  readonly jobId?: string;
  /** How the request carried its key, if it had one. */
  readonly auth: AuthKind;
  /** Which of the emulator's `keys` the request used, counted from 1; absent if none of them. */
  readonly key?: number;
  /** The `user-agent` header, at most 100 characters; absent if there was none. */
  readonly userAgent?: string;
  /** The HTTP status of the answer; absent if no answer came. */
  readonly status?: number;
  /** When the request was answered, failed or aborted. */
  readonly endedAt?: number;
  /** The client disconnected before the answer. */
  readonly aborted?: true;
  /** The code of a network failure that a fault caused, such as `ECONNRESET`. */
  readonly failure?: string;
  /** The fault that struck the request. */
  readonly fault?: FaultName;
}
