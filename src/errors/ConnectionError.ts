import type { Phase } from '../types/Transport.js';
import { RunpodError, type ErrorInit } from './RunpodError.js';

/** No answer came: the connection failed or broke. */
export class ConnectionError extends RunpodError {
  static override readonly brand = 'ConnectionError';

  /** `connect` when no connection came about, so that the server cannot have seen the request. */
  readonly phase: Phase;

  constructor(message: string, phase: Phase, init: ErrorInit) {
    super('connection', message, init, true);
    this.phase = phase;
  }
}
