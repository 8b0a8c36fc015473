import {
  EMPTY,
  catchError,
  exhaustMap,
  filter,
  fromEvent,
  merge,
  skip,
  tap,
  withLatestFrom,
  type Observable,
} from 'rxjs';
import type { Endpoint } from 'runpod-rx';
import { client } from './client.js';
import { byId, setText } from './dom.js';
import { JobDetailsView } from './JobDetailsView.js';
import type { Page } from './Page.js';
import { select } from './selection.js';

/** The panel with the selected job: its facts, input, output, chunks and history, and what can be done with it. */
export function jobDetails({ feed$, selected$, drafts$ }: Page): Observable<unknown> {
  const panel = byId('details');
  const view = new JobDetailsView();
  view.mount(byId('details-body'));

  const selections$ = selected$.pipe(
    tap((id) => {
      view.clear();
      panel.hidden = id === '';
      setText(byId('details-title'), id);
    }),
  );
  const focus$ = selected$.pipe(
    // A page that is opened leaves the focus where it is.
    skip(1),
    filter((id) => id !== ''),
    tap(() => panel.focus()),
  );
  const updates$ = feed$.pipe(
    withLatestFrom(selected$),
    filter(([, id]) => id !== ''),
    tap(([event]) => view.update(event)),
  );
  const closes$ = merge(
    fromEvent(byId('close-details'), 'click'),
    fromEvent<KeyboardEvent>(document, 'keydown').pipe(filter(({ key }) => key === 'Escape' && !panel.hidden)),
  ).pipe(
    tap(() => {
      select('');
      document.querySelector<HTMLElement>('#job-rows a[tabindex="0"]')?.focus();
    }),
  );
  const act = (button: HTMLElement, command: (endpoint: Endpoint, id: string) => Observable<unknown>) =>
    fromEvent(button, 'click').pipe(
      exhaustMap(() => {
        if (!view.job) return EMPTY;
        view.say('');
        const { endpointId, id } = view.job;
        return command(client.endpoint(endpointId), id).pipe(
          catchError((error: unknown) => {
            view.say(error instanceof Error ? error.message : String(error));
            return EMPTY;
          }),
        );
      }),
    );
  const resend$ = fromEvent(view.again, 'click').pipe(
    tap(() => {
      const { endpointId, input } = view.job ?? {};
      if (endpointId !== undefined && input) drafts$.next({ endpoint: endpointId, input: input.text });
    }),
  );
  return merge(
    selections$,
    focus$,
    updates$,
    closes$,
    view.tabs.chosen$.pipe(tap(() => view.render())),
    act(view.cancel, (endpoint, id) => endpoint.cancel(id)),
    act(view.retry, (endpoint, id) => endpoint.retry(id)),
    resend$,
  );
}
