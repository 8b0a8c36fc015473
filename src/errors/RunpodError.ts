import type { Operation } from '../types/Operation.js';
import type { JobRef } from '../types/JobRef.js';
import type { ErrorCode } from './codes.js';

const BRANDS = Symbol.for('runpod-rx.error');

/** Where an error happened, and why. */
export interface ErrorContext {
  readonly operation: Operation;
  readonly endpointId?: string | undefined;
  readonly jobId?: string | undefined;
  readonly tag?: string | undefined;
  /**
   * Of submissions and commands: `no` when the server cannot have acted on it, so that it may be sent again; `unknown`
   * when it may have, so that submitting again may run and bill a job twice.
   */
  readonly accepted?: 'no' | 'unknown' | undefined;
  readonly cause?: unknown;
}

/**
 * The base of every error of this library. `code` says which one it is and is stable; the text of `message` is not.
 *
 * `instanceof` holds across copies of the library: one from its ES modules and one from its CommonJS build are the same
 * to it.
 *
 * @typeParam D - what a class of error says beside the context
 */
export class RunpodError<D extends object = object> extends Error {
  /** The class's name in the source, which minifiers leave alone. `code` is made of it. */
  static readonly brand: string = 'RunpodError';

  declare readonly code: ErrorCode;
  declare readonly operation: Operation;
  declare readonly endpointId?: string;
  declare readonly jobId?: string;
  declare readonly accepted?: 'no' | 'unknown';
  /** Whether the same call may succeed later, and cannot do harm. */
  declare readonly retryable: boolean;
  declare readonly tag?: string;
  /** Of an error of a `Job`'s own reading: what to attach to. The job itself goes on. */
  declare readonly ref?: JobRef;

  constructor(message: string, context: ErrorContext, details?: D & { readonly retryable?: boolean }) {
    super(message, context);
    const { brand } = new.target;
    const code = brand
      .slice(0, -5)
      .replace(/\B[A-Z]/g, '_$&')
      .toLowerCase();
    for (const [key, value] of Object.entries({ name: brand, code, retryable: false, ...context, ...details })) {
      if (value !== undefined) Object.assign(this, { [key]: value });
    }
  }

  /** @hidden The brands of the error's class and of those it extends. */
  get [BRANDS](): readonly string[] {
    const brands: string[] = [];
    let type = this.constructor as typeof RunpodError | null;
    for (; type?.brand; type = Object.getPrototypeOf(type) as typeof RunpodError | null) brands.push(type.brand);
    return brands;
  }

  /** @hidden Goes by the brand, which another copy of the library knows as well. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // A user's own subclass has no brand of its own: for it the prototype chain decides.
    return Object.hasOwn(this, 'brand')
      ? !!(Object(value) as { [BRANDS]?: readonly string[] })[BRANDS]?.includes(this.brand)
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }
}
