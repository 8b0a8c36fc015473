import { Observable, Subscription } from 'rxjs';
import type { CallState } from './CallState.js';

/**
 * Passes a submission's answer on, and keeps a job from being lost when the subscriber leaves first.
 *
 * - Not sent yet: the submission is never sent.
 * - Sent: the request is not aborted, because the server may take the job all the same. The answer is read to its end and
 *   given to the function that `onAbandoned` returned.
 *
 * @param onAbandoned - called when the subscriber leaves a submission that was sent. The function that it returns gets the
 *   answer, or `undefined` and the error where none came.
 */
export function keepSubmission<T>(
  submission: Observable<T>,
  state: CallState,
  onAbandoned: () => (answer: T | undefined, error?: unknown) => void,
): Observable<T> {
  return new Observable((subscriber) => {
    let answered = false;
    let useAnswer: ((answer: T | undefined, error?: unknown) => void) | undefined;
    const reading = new Subscription();
    // Added before the source is subscribed to, so that a synchronous unsubscribe prevents the request.
    subscriber.add(() => {
      if (answered) return;
      state.abandoned = true;
      if (state.maybeReceived) useAnswer = onAbandoned();
      else reading.unsubscribe();
    });
    reading.add(
      submission.subscribe({
        next: (answer) => {
          answered = true;
          if (useAnswer) useAnswer(answer);
          else subscriber.next(answer);
        },
        error: (error: unknown) => {
          answered = true;
          if (useAnswer) useAnswer(undefined, error);
          else subscriber.error(error);
        },
        complete: () => {
          subscriber.complete();
        },
      }),
    );
  });
}
