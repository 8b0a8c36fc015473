import {
  EMPTY,
  catchError,
  concat,
  concatMap,
  defer,
  exhaustMap,
  filter,
  map,
  merge,
  of,
  retry,
  take,
  takeUntil,
  tap,
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

/** How often a look-up that fails is repeated at the end: for as long as a store may be away. */
const LAST_LOOK_UPS = 100;

/**
 * Emits the id of the job that a key has become, and completes; completes without it once the time is over. Looks it up at
 * least once: a look-up that fails is repeated. Errors where none has succeeded a hundred seconds after the time is over: then
 * it is not known that there is no webhook.
 *
 * @param ms - how long it may take, in milliseconds
 */
export function awaitWebhook(
  webhooks: DurableWebhooks,
  key: string,
  { ms, scheduler }: { readonly ms: number; readonly scheduler: SchedulerLike },
): Observable<string> {
  return defer(() => {
    let isLookedUp = false;
    const lookUp$ = eventually(() => webhooks.jobOf(key)).pipe(
      tap(() => {
        isLookedUp = true;
      }),
      concatMap((id) => (id ? of(id) : EMPTY)),
    );
    const attempt$ = lookUp$.pipe(catchError(() => EMPTY));
    const here$ = webhooks.resolved$.pipe(
      filter((resolved) => resolved.key === key),
      map(({ id }) => id),
    );
    const polled$ = timer(LOOK_UP, LOOK_UP, scheduler).pipe(exhaustMap(() => attempt$));
    const waiting$ = merge(here$, polled$).pipe(takeUntil(timer(Math.min(MAX_WAIT, Math.max(0, ms)), scheduler)));
    const lastly$ = defer(() =>
      isLookedUp ? EMPTY : lookUp$.pipe(retry({ count: LAST_LOOK_UPS, delay: () => timer(LOOK_UP, scheduler) })),
    );
    return concat(merge(waiting$, attempt$), lastly$).pipe(take(1));
  });
}
