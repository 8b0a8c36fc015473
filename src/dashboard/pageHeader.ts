import { fromEvent, merge, switchMap, tap, timer, type Observable } from 'rxjs';
import { ROOT } from './client.js';
import { byId, first, setText } from './dom.js';

/** The base URL for clients, and whether the page is connected. */
export function pageHeader(isLive$: Observable<boolean>): Observable<unknown> {
  const baseUrl = `${location.origin}${ROOT}v2`;
  setText(byId('base-url'), baseUrl);
  const button = byId('copy-url');
  const copies$ = fromEvent(button, 'click').pipe(
    switchMap(() => navigator.clipboard.writeText(baseUrl)),
    tap(() => setText(button, 'Copied')),
    switchMap(() => timer(1_500)),
    tap(() => setText(button, 'Copy')),
  );
  const shown$ = isLive$.pipe(
    tap((isLive) => {
      first(document, '.connection').dataset.state = isLive ? 'live' : 'broken';
      setText(byId('connection'), isLive ? 'live' : 'not connected: the emulator does not answer');
    }),
  );
  return merge(copies$, shown$);
}
