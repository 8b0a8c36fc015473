import {
  EMPTY,
  catchError,
  concatMap,
  exhaustMap,
  filter,
  map,
  merge,
  of,
  take,
  takeUntil,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { eventually } from '../server/eventually.js';
import type { DurableWebhooks } from './DurableOptions.js';

/** How often the store of the webhooks is asked, in milliseconds: a webhook may come to another process. */
const LOOK_UP = 1_000;

/** The longest wait that a timer can keep, in milliseconds. */
const MAX_WAIT = 2 ** 31 - 1;

/**
 * Emits the id of the job that a key has become, and completes; completes without it once the time is over. Looks it up at
 * least once. A look-up that fails is repeated with the next.
 *
 * @param ms - how long it may take, in milliseconds
 */
export function awaitWebhook(
  webhooks: DurableWebhooks,
  key: string,
  { ms, scheduler }: { readonly ms: number; readonly scheduler: SchedulerLike },
): Observable<string> {
  const lookUp = () =>
    eventually(() => webhooks.jobOf(key)).pipe(
      catchError(() => EMPTY),
      concatMap((id) => (id ? of(id) : EMPTY)),
    );
  const here$ = webhooks.resolved$.pipe(
    filter((resolved) => resolved.key === key),
    map(({ id }) => id),
  );
  const polled$ = timer(LOOK_UP, LOOK_UP, scheduler).pipe(exhaustMap(lookUp));
  const waiting$ = merge(here$, polled$).pipe(takeUntil(timer(Math.min(MAX_WAIT, Math.max(0, ms)), scheduler)));
  return merge(waiting$, lookUp()).pipe(take(1));
}
