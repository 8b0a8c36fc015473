import { RunpodError } from './RunpodError.js';
import type { Phase } from '../types/Transport.js';

/** What a {@link ConnectionError} says. */
export interface ConnectionErrorDetails {
  /** `connect` when no connection came about, so that the server cannot have seen the request. */
  readonly phase: Phase;
}

/** No answer came: the connection failed or broke. */
export class ConnectionError extends RunpodError<ConnectionErrorDetails> {
  static override readonly brand = 'ConnectionError';
  static override readonly code = 'connection';

  declare readonly phase: Phase;
}
