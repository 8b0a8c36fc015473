import { Observable, type Subscription } from 'rxjs';

/**
 * Subscribes to a source in such a way that unsubscribing `subscription` ends it from the start. With a plain
 * `subscribe`, nothing can end the source before `subscribe` returns, so neither can its own synchronous side effects.
 */
export function linkSubscription<T>(
  subscription: Subscription,
  source: () => Observable<T> | undefined,
): Observable<T> {
  return new Observable((subscriber) => {
    subscription.add(subscriber);
    source()?.subscribe(subscriber);
  });
}
