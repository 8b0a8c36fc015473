import { Observable, type Subscription } from 'rxjs';

/**
 * Asks a source so that a subscription ends it from the start: also while it is being asked, when a plain `subscribe` has
 * not returned yet, and nobody could end it.
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
