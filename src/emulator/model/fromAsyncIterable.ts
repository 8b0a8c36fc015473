import { Observable, asyncScheduler } from 'rxjs';

/** Values taken in a row before timers and sockets get a turn. A chain of resolved promises would never give them one. */
const VALUES_PER_TURN = 100;

/**
 * Emits the values of an async iterable. Unlike `from`, unsubscribing calls the iterator's `return` at once, and not after
 * its next value, so that the generator of a cancelled job reaches its `finally` block.
 */
export function fromAsyncIterable<T>(iterable: AsyncIterable<T>): Observable<T> {
  return new Observable((subscriber) => {
    const iterator = iterable[Symbol.asyncIterator]();
    let ended = false;
    let count = 0;
    // A function, since TypeScript would otherwise assume that `closed` stays false after the first check.
    const isClosed = (): boolean => subscriber.closed;
    const pull = (): void => {
      iterator.next().then(
        ({ done, value }) => {
          ended = done === true;
          if (isClosed()) return;
          if (done) {
            subscriber.complete();
            return;
          }
          subscriber.next(value);
          if (isClosed()) return;
          count += 1;
          if (count % VALUES_PER_TURN === 0) subscriber.add(asyncScheduler.schedule(pull));
          else pull();
        },
        (error: unknown) => {
          ended = true;
          subscriber.error(error);
        },
      );
    };
    pull();
    return () => {
      // An error in the generator's `finally` block has no subscriber any more.
      if (!ended) iterator.return?.().then(undefined, () => undefined);
    };
  });
}
