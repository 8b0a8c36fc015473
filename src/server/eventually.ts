import { defer, first, from, isObservable, of, type Observable } from 'rxjs';

/** A value, now or later. An Observable counts by its first value, and as `undefined` where it completes without one. */
export type Eventually<T> = T | PromiseLike<T> | Observable<T>;

/**
 * Calls a function of the user's, and emits what it gives: a value, a promise's, or an Observable's first. Errors where it
 * throws. An Observable may complete without a value, as one that only writes does: that is `undefined`, as for a function.
 */
export function eventually<T>(call: () => Eventually<T>): Observable<T> {
  return defer(() => {
    const given = call();
    if (isObservable(given)) return given.pipe(first(null, undefined as T));
    return isPromise(given) ? from(given) : of(given);
  });
}

function isPromise<T>(value: Eventually<T>): value is PromiseLike<T> {
  return typeof (Object(value) as { then?: unknown }).then === 'function';
}
