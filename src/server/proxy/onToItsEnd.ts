import { AsyncSubject, finalize, type Observable } from 'rxjs';
import type { EndpointProxy } from './EndpointProxy.js';

/** Begins at the call, and goes on when its subscriber has left: on platforms that end what a request has begun, too. */
export function onToItsEnd<T>({ detached }: Pick<EndpointProxy, 'detached'>, source$: Observable<T>): Observable<T> {
  const result$ = new AsyncSubject<T>();
  detached.add(result$);
  source$.pipe(finalize(() => detached.delete(result$))).subscribe(result$);
  return result$;
}
