import {
  BehaviorSubject,
  NEVER,
  Observable,
  combineLatest,
  distinctUntilChanged,
  fromEvent,
  map,
  retry,
  share,
  startWith,
  switchMap,
  tap,
} from 'rxjs';
import type { FeedEvent, FeedQuery } from '../emulator/server/dashboard/FeedEvent.js';
import { DATA } from './client.js';

/** Milliseconds until the page connects again. */
const RECONNECT_AFTER = 1_000;

/** An event of the feed. */
export interface PageEvent extends FeedEvent {
  /** Whether it is the first of its connection: it has everything, and replaces what the page shows. */
  readonly isFirst: boolean;
}

/** What the emulator tells the page, over one connection. */
export interface LiveFeed {
  /** All subscribers share the connection. Never errors and never completes. */
  readonly feed$: Observable<PageEvent>;
  readonly isLive$: Observable<boolean>;
}

/**
 * Connects, and connects again with each new query, and after each break. A page in the background is not connected: browsers
 * open six connections to a server, and tabs that nobody sees must not take them.
 */
export function liveFeed(query$: Observable<FeedQuery>): LiveFeed {
  const isLive$ = new BehaviorSubject(false);
  const isVisible$ = fromEvent(document, 'visibilitychange').pipe(
    startWith(undefined),
    map(() => document.visibilityState === 'visible'),
    distinctUntilChanged(),
  );
  const feed$ = combineLatest([query$, isVisible$]).pipe(
    switchMap(([query, isVisible]) =>
      (isVisible ? connect(query) : NEVER).pipe(
        tap({ next: () => isLive$.next(true), error: () => isLive$.next(false) }),
        retry({ delay: RECONNECT_AFTER }),
      ),
    ),
    share(),
  );
  return { feed$, isLive$: isLive$.pipe(distinctUntilChanged()) };
}

/** Connects once; errors when the connection breaks. */
function connect(query: FeedQuery): Observable<PageEvent> {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return new Observable<FeedEvent>((subscriber) => {
    const source = new EventSource(`${DATA}events?${new URLSearchParams(given).toString()}`);
    source.onmessage = ({ data }) => {
      subscriber.next(JSON.parse(String(data)) as FeedEvent);
    };
    source.onerror = () => {
      subscriber.error(new Error('the connection broke'));
    };
    return () => {
      source.close();
    };
  }).pipe(map((event, index) => ({ ...event, isFirst: index === 0 })));
}
