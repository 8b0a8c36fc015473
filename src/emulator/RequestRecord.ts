import type { FaultName } from './faults/FaultRule.js';
import type { AuthKind } from './model/keys.js';

/** One request and what became of it. Holds neither headers nor bodies, and never a key. */
export interface RequestRecord {
  /** Numbers the requests of an emulator from 1, as they came. */
  readonly seq: number;
  /** When it was sent, `scheduler.now()` in milliseconds. */
  readonly at: number;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly endpointId?: string;
  readonly operation?: string;
  /** The job it names, or the job it made. */
  readonly jobId?: string;
  /** How the key came, if one did. */
  readonly auth: AuthKind;
  /** The HTTP status of the answer; absent where none came. */
  readonly status?: number;
  /** When it was over: answered, failed or aborted. */
  readonly endedAt?: number;
  /** The client went away before the answer. */
  readonly aborted?: true;
  /** The code of the network's failure that a fault brought about, such as `ECONNRESET`. */
  readonly failure?: string;
  /** The fault that struck it. */
  readonly fault?: FaultName;
}
