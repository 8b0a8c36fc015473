import { firstValueFrom, fromEvent, map, merge, of, take, type Observable } from 'rxjs';
import { errorAnswer } from '../jsonAnswer.js';

/** "Client Closed Request": nobody reads it. */
const LEFT = 499;

/**
 * The answer to a request, or none where the page leaves before: then the answer is unsubscribed from. What aborts the
 * signal later, as some platforms do for each request that is over, has no effect.
 */
export function untilLeft(answer$: Observable<Response>, signal: AbortSignal): Promise<Response> {
  return firstValueFrom(merge(whenLeft(signal), answer$).pipe(take(1)));
}

/** Emits, when a page leaves, the answer that nobody reads. */
export function whenLeft(signal: AbortSignal): Observable<Response> {
  const abort$: Observable<unknown> = signal.aborted ? of(undefined) : fromEvent(signal, 'abort');
  return abort$.pipe(map(() => errorAnswer(LEFT, 'the page has left')));
}
