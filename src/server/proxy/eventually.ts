import { defer, first, from, isObservable, of, type Observable } from 'rxjs';

/** A value, now or later. An Observable counts by its first value. */
export type Eventually<T> = T | PromiseLike<T> | Observable<T>;

/** Calls a function of the user's, and emits what it gives: a value, a promise's, or an Observable's first. Errors where it throws. */
export function eventually<T>(call: () => Eventually<T>): Observable<T> {
  return defer(() => {
    const given = call();
    if (isObservable(given)) return given.pipe(first());
    return isPromise(given) ? from(given) : of(given);
  });
}

function isPromise<T>(value: Eventually<T>): value is PromiseLike<T> {
  return typeof (Object(value) as { then?: unknown }).then === 'function';
}
