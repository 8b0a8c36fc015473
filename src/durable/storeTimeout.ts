import { throwError, timeout, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';

/** How long a store may take, in milliseconds: as long as a hook. */
const STORE_TIME = 120_000;

/** Errors where a store does not answer: who waits for the job would never be told of it. */
export function storeTimeout<T>(scheduler: SchedulerLike): MonoTypeOperatorFunction<T> {
  const tooLate = () => throwError(() => new Error(`it did not answer within ${STORE_TIME} ms`));
  return timeout({ first: STORE_TIME, scheduler, with: tooLate });
}
