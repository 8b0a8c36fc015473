import { ReplaySubject, defer, type Observable } from 'rxjs';

/** Goes on to its end, whether or not anybody is subscribed any more. */
export function toItsEnd(source: Observable<never>): Observable<never> {
  return defer(() => {
    const shared = new ReplaySubject<never>(1);
    source.subscribe(shared);
    return shared;
  });
}
