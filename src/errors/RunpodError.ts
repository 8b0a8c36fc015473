import type { Operation } from '../types/Operation.js';
import type { ErrorCode } from './codes.js';

const BRANDS = Symbol.for('runpod-rx.error');

/** Where an error happened. */
export interface ErrorContext {
  readonly operation: Operation;
  readonly endpointId?: string;
  readonly jobId?: string;
  readonly tag?: string;
  /**
   * Of submissions only: `no` when the server cannot have taken the job, so that it may be sent again; `unknown` when
   * it may have, so that sending it again may run and bill it twice.
   */
  readonly accepted?: 'no' | 'unknown';
}

/** What an error is made of, beside its message. */
export interface ErrorInit extends ErrorContext {
  readonly cause?: unknown;
}

/**
 * The base of every error of this library. `code` says which one it is and is stable; the text of `message` is not.
 *
 * `instanceof` holds across copies of the library: one from its ES modules and one from its CommonJS build are the same
 * to it.
 */
export class RunpodError extends Error {
  /** The class's name in the source, which minifiers leave alone. */
  static readonly brand: string = 'RunpodError';

  readonly code: ErrorCode;
  readonly operation: Operation;
  readonly endpointId?: string;
  readonly jobId?: string;
  readonly accepted?: 'no' | 'unknown';
  /** Whether the same call may succeed later, and cannot do harm. */
  readonly retryable: boolean;
  readonly tag?: string;

  constructor(code: ErrorCode, message: string, init: ErrorInit, retryable = false) {
    super(message, 'cause' in init ? { cause: init.cause } : undefined);
    this.name = new.target.brand;
    this.code = code;
    this.operation = init.operation;
    this.retryable = retryable;
    if (init.endpointId !== undefined) this.endpointId = init.endpointId;
    if (init.jobId !== undefined) this.jobId = init.jobId;
    if (init.accepted !== undefined) this.accepted = init.accepted;
    if (init.tag !== undefined) this.tag = init.tag;
  }

  get [BRANDS](): readonly string[] {
    const brands: string[] = [];
    let type = this.constructor as typeof RunpodError | null;
    for (; type?.brand; type = Object.getPrototypeOf(type) as typeof RunpodError | null) brands.push(type.brand);
    return brands;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A user's own subclass has no brand of its own: for it the prototype chain decides.
    return Object.hasOwn(this, 'brand')
      ? !!(value as { [BRANDS]?: readonly string[] } | null | undefined)?.[BRANDS]?.includes(this.brand)
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }
}
