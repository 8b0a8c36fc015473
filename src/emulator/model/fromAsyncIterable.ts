import { Observable, asyncScheduler } from 'rxjs';

/** After how many values others get their turn: promises that are settled already leave none to timers and sockets. */
const VALUES_PER_TURN = 100;

/**
 * The values of an async iterable. Differs from `from` in that unsubscribing returns the iterator at once, rather than when
 * it yields next, so that the generator of a cancelled job comes to its `finally`.
 */
export function fromAsyncIterable<T>(iterable: AsyncIterable<T>): Observable<T> {
  return new Observable((subscriber) => {
    const iterator = iterable[Symbol.asyncIterator]();
    let ended = false;
    let count = 0;
    const left = (): boolean => subscriber.closed;
    const pull = (): void => {
      iterator.next().then(
        ({ done, value }) => {
          ended = done === true;
          if (left()) return;
          if (done) {
            subscriber.complete();
            return;
          }
          subscriber.next(value);
          if (left()) return;
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
      // What the generator does while it is being ended concerns nobody any more.
      if (!ended) iterator.return?.().then(undefined, () => undefined);
    };
  });
}
