import { Observable, Subscription } from 'rxjs';
import type { CallState } from './CallState.js';

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
  trace: CallState,
  left: () => (answer?: T) => void,
): Observable<T> {
  return new Observable((subscriber) => {
    let over = false;
    let done: ((answer?: T) => void) | undefined;
    const reading = new Subscription();
    // Before anything is asked: who leaves while it is, and before it is sent, has it not sent.
    subscriber.add(() => {
      if (over) return;
      trace.abandoned = true;
      if (trace.maybeReceived) done = left();
      else reading.unsubscribe();
    });
    reading.add(
      source.subscribe({
        next: (answer) => {
          over = true;
          if (done) done(answer);
          else subscriber.next(answer);
        },
        error: (error: unknown) => {
          over = true;
          if (done) done();
          else subscriber.error(error);
        },
        complete: () => {
          subscriber.complete();
        },
      }),
    );
  });
}
