import { Observable } from 'rxjs';
import type { Trace } from '../transport/Trace.js';

/**
 * Passes a submission's answer on, and keeps it from being lost when its subscriber leaves. Not sent yet: it is never
 * sent. On its way: it is not aborted, because the server may take the job all the same, but read to its end, and what
 * then comes of it goes to `left`.
 *
 * @param left - called when the subscriber has left a submission on its way; returns what is done with the answer, or
 * without one
 */
export function keepSubmission<T>(
  source: Observable<T>,
  trace: Trace,
  left: () => (answer?: T) => void,
): Observable<T> {
  return new Observable((subscriber) => {
    let over = false;
    let done: ((answer?: T) => void) | undefined;
    // Who leaves while a transport answers at once has left before the answer, and before there is a teardown to call.
    const gone = () => done ?? (subscriber.closed ? left() : undefined);
    const reading = source.subscribe({
      next: (answer) => {
        over = true;
        const leave = gone();
        if (leave) leave(answer);
        else subscriber.next(answer);
      },
      error: (error: unknown) => {
        over = true;
        const leave = gone();
        if (leave) leave();
        else subscriber.error(error);
      },
      complete: () => {
        subscriber.complete();
      },
    });
    return () => {
      if (over) return;
      if (!trace.sent) {
        reading.unsubscribe();
        return;
      }
      trace.left = true;
      done = left();
    };
  });
}
