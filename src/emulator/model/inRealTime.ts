import { Observable } from 'rxjs';
import type { SchedulerLike } from 'rxjs';

const MESSAGE =
  'the handler returned a promise or an async generator, and time went on before it could settle: promises do not settle ' +
  'while a virtual scheduler runs. Return an Observable, such as context.delay(…), or use real time.';

/**
 * Passes on what promises deliver. Errors if the scheduler's time goes on although no promise could settle since: then a
 * virtual scheduler is running, and the handler would be waited for in vain.
 */
export function inRealTime<T>(values$: Observable<T>, scheduler: SchedulerLike): Observable<T> {
  return new Observable((subscriber) => {
    let promisesSettle = false;
    void Promise.resolve().then(() => {
      promisesSettle = true;
    });
    const look = (): void => {
      if (!promisesSettle) subscriber.error(new TypeError(MESSAGE));
    };
    subscriber.add(scheduler.schedule(look, 1));
    subscriber.add(values$.subscribe(subscriber));
  });
}
