import { Observable } from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { PROMISE_IN_VIRTUAL_TIME } from './virtualTime.js';

/**
 * Passes on what promises deliver. Errors if the scheduler's time goes on although no promise could settle since: then a
 * virtual scheduler is running that is not of RxJS's class, and the handler would be waited for in vain.
 */
export function inRealTime<T>(values$: Observable<T>, scheduler: SchedulerLike): Observable<T> {
  return new Observable((subscriber) => {
    let promisesSettle = false;
    void Promise.resolve().then(() => {
      promisesSettle = true;
    });
    const look = (): void => {
      if (!promisesSettle) subscriber.error(new TypeError(PROMISE_IN_VIRTUAL_TIME));
    };
    subscriber.add(scheduler.schedule(look, 1));
    subscriber.add(values$.subscribe(subscriber));
  });
}
