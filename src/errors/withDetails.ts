import type { RunpodError } from './RunpodError.js';

/** An error that says more. Others who share the read have the same error, so it is a copy. */
export function withDetails<E extends RunpodError>(error: E, more: Partial<RunpodError>): E {
  const own = Object.create(Object.getPrototypeOf(error) as object, Object.getOwnPropertyDescriptors(error)) as E;
  return Object.assign(own, more);
}
