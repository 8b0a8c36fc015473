import { Observable, type Subscription } from 'rxjs';

/**
 * Makes a source that ends when `subscription` is unsubscribed, even while the source is being subscribed to. The
 * subscription that a plain `subscribe` returns cannot end a source before `subscribe` has returned.
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
