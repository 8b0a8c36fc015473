import type { Operation } from '../types/Operation.js';
import type { JobRef } from '../types/JobRef.js';
import { clip } from '../protocol/text.js';
import type { ErrorCode } from './codes.js';

/** The longest message, in characters. Messages quote what the service wrote, such as ids and the words of a worker. */
const MAX_MESSAGE = 2000;

const BRANDS = Symbol.for('runpod-rx.error');

/** Where an error happened, and its cause. */
export interface ErrorContext {
  readonly operation: Operation;
  readonly endpointId?: string | undefined;
  readonly jobId?: string | undefined;
  readonly tag?: string | undefined;
  /**
   * Set for submissions and commands. `no`: the server cannot have acted on the request, so it is safe to send it again.
   * `unknown`: the server may have acted on it, so submitting again may run and bill a second job.
   */
  readonly accepted?: 'no' | 'unknown' | undefined;
  readonly cause?: unknown;
}

/**
 * The base class of every error of this library. `code` names the kind of error and is stable; the text of `message` may
 * change.
 *
 * `instanceof` works across copies of the library: an error of the CommonJS build is an instance of the same class of the
 * ES modules.
 *
 * @typeParam D - the members that a class has besides those of the context
 */
export class RunpodError<D extends object = object> extends Error {
  /** The class's name as a string, since minifiers shorten class names. `instanceof` goes by it. */
  static readonly brand: string = 'RunpodError';
  /** The code of the class's errors, as the table in `codes.ts` lists it. */
  static readonly code: ErrorCode = 'runpod';

  declare readonly code: ErrorCode;
  declare readonly operation: Operation;
  declare readonly endpointId?: string;
  declare readonly jobId?: string;
  declare readonly accepted?: 'no' | 'unknown';
  /** Whether the same call may succeed later, and is safe to make again. */
  declare readonly retryable: boolean;
  declare readonly tag?: string;
  /** Set when reading a `Job` failed: the job itself goes on, and `attach(ref)` returns to it. */
  declare readonly ref?: JobRef;

  constructor(message: string, context: ErrorContext, details?: D & { readonly retryable?: boolean }) {
    super(clip(message, MAX_MESSAGE), context);
    const { brand, code } = new.target;
    // `Error` has set `cause` already, as a property that is not enumerable; assigning it again leaves it so.
    const members = { name: brand, code, retryable: false, ...context, ...details };
    for (const [key, value] of Object.entries(members)) {
      if (value !== undefined) Object.assign(this, { [key]: value });
    }
  }

  /** @hidden The brands of the error's class and of every class that it extends. */
  get [BRANDS](): readonly string[] {
    const brands: string[] = [];
    let type = this.constructor as typeof RunpodError | null;
    while (type?.brand) {
      brands.push(type.brand);
      type = Object.getPrototypeOf(type) as typeof RunpodError | null;
    }
    return brands;
  }

  /** @hidden Compares brands, because another copy of the library has the same brands but other classes. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // A user's subclass without a brand of its own is recognised by the prototype chain.
    if (!Object.hasOwn(this, 'brand')) return Function.prototype[Symbol.hasInstance].call(this, value);
    const { [BRANDS]: brands } = Object(value) as { readonly [BRANDS]?: readonly string[] };
    return !!brands?.includes(this.brand);
  }
}
