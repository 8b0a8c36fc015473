import { fromEvent, map, merge, tap, type Observable } from 'rxjs';
import { byId, first, setOptions } from './dom.js';
import type { Page } from './Page.js';
import { STATUSES, statusWords } from './statusTag.js';

/** The form above the table. */
export function jobFilter({ feed$, filter$ }: Page): Observable<unknown> {
  const form = byId('filter');
  const status = first<HTMLSelectElement>(form, '[name=status]');
  const endpoint = first<HTMLSelectElement>(form, '[name=endpoint]');
  const search = first<HTMLInputElement>(form, '[name=search]');
  setOptions(status, [['', 'all'], ...STATUSES.map((name) => [name, statusWords(name)] as const)]);
  setOptions(endpoint, [['', 'all']]);
  const endpoints$ = feed$.pipe(
    tap(({ state }) => {
      if (state) setOptions(endpoint, [['', 'all'], ...Object.keys(state.endpoints).map((id) => [id, id] as const)]);
    }),
  );
  const input$ = fromEvent(form, 'input').pipe(
    map(() => ({ status: status.value, endpoint: endpoint.value, search: search.value.trim() })),
    tap((filter) => filter$.next(filter)),
  );
  const submit$ = fromEvent(form, 'submit').pipe(tap((event) => event.preventDefault()));
  return merge(endpoints$, input$, submit$);
}
