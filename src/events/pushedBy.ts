import {
  EMPTY,
  asyncScheduler,
  catchError,
  concat,
  concatMap,
  defer,
  of,
  retry,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { Break, connection } from './connection.js';
import type { EventNoticesOptions } from './EventNoticesOptions.js';
import { LOST, type PageState, type Pushed } from './Pushed.js';
import type { SseEvent } from './SseParser.js';

/** How long to wait before the next connection, in milliseconds: at first, at most, and where the user may not connect. */
const FIRST_PAUSE = 1_000;
const MAX_PAUSE = 30_000;
const REFUSED_PAUSE = 60_000;

/**
 * What the server tells, over one connection after another. Each break says that nothing can be relied on; the next
 * connection goes on after the last event. Completes where there are no events at the address. Unsubscribing disconnects.
 */
export function pushedBy(url: string, options: EventNoticesOptions, state: PageState): Observable<Pushed> {
  const { scheduler = asyncScheduler } = options;
  return defer(() => {
    if (state.isGone) return EMPTY;
    let failures = 0;
    return defer(() => connection(url, options, state.position)).pipe(
      concatMap((event, index) => {
        if (index === 0 && event.type !== 'hello') throw new Break();
        failures = 0;
        return pushedOf(event);
      }),
      catchError((error: unknown) =>
        concat(
          of(LOST),
          throwError(() => error),
        ),
      ),
      retry({
        delay: (error: Partial<Break>) => {
          const { status = 0, retryAfter = 0 } = error;
          if (status === 404 || status === 204) {
            state.isGone = true;
            return EMPTY;
          }
          const isRefused = status === 401 || status === 403;
          const pause = Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** failures++) * (1 - Math.random() / 2);
          return timer(Math.max(retryAfter, isRefused ? REFUSED_PAUSE : pause), scheduler);
        },
      }),
    );
  });
}

function pushedOf({ type, data, position }: SseEvent): Observable<Pushed> {
  const value = JSON.parse(data) as Partial<Pushed> & { readonly retryAfter?: number };
  switch (type) {
    case 'hello':
    case 'reset':
      return of({ ...LOST, position });
    case 'job':
    case 'stream':
      return typeof value.job?.id === 'string' ? of({ ...value, position } as Pushed) : EMPTY;
    case 'bye':
      throw new Break(0, Number(value.retryAfter));
    default:
      return EMPTY;
  }
}
