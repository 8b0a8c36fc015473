import type { RunpodError } from './RunpodError.js';

/** A copy of an error with more details. Callers that share a read get the same error, so the original is left alone. */
export function withDetails<E extends RunpodError>(error: E, details: Partial<RunpodError>): E {
  const copy = Object.create(Object.getPrototypeOf(error) as object, Object.getOwnPropertyDescriptors(error)) as E;
  return Object.assign(copy, details);
}
