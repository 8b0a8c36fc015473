import { RunpodError } from './RunpodError.js';
import type { Phase } from '../types/Transport.js';

/** The members of {@link ConnectionError} besides those of every error. */
export interface ConnectionErrorDetails {
  /** `connect`: there was no connection, so the server cannot have seen the request. `sent`: it may have. */
  readonly phase: Phase;
}

/** No answer came, because the connection failed or broke. */
export class ConnectionError extends RunpodError<ConnectionErrorDetails> {
  static override readonly brand = 'ConnectionError';
  static override readonly code = 'connection';

  declare readonly phase: Phase;
}
