import { RunpodError, type ErrorContext } from './RunpodError.js';

/** A call, or one attempt of it, took longer than it may. */
export class RequestTimeoutError extends RunpodError {
  static override readonly brand = 'RequestTimeoutError';

  /** The limit in milliseconds. */
  readonly timeout: number;

  constructor(timeout: number, option: 'timeout' | 'requestTimeout', context: ErrorContext) {
    super(
      'request_timeout',
      `${context.operation} on endpoint ${context.endpointId ?? '?'} had no answer within ${timeout} ms (option ${option})`,
      context,
      context.accepted !== 'unknown',
    );
    this.timeout = timeout;
  }
}
