import { EMPTY, catchError, exhaustMap, filter, fromEvent, map, merge, tap, type Observable } from 'rxjs';
import type { EndpointState } from '../emulator/index.js';
import { client } from './client.js';
import { arrange, byId, element, first, setText } from './dom.js';
import { count } from './format.js';
import type { Page } from './Page.js';

const WORKER_COLOURS = {
  running: 'blue',
  idle: 'green',
  initializing: 'amber',
  throttled: 'amber',
  unhealthy: 'red',
} as const;

const NUMBERS = [
  ['Queued', 'inQueue', 'queued'],
  ['Running', 'inProgress', 'running'],
  ['Completed', 'completed', 'completed'],
  ['Failed', 'failed', 'failed'],
] as const;

/** A card for each endpoint: its counts of jobs, and its workers by state. */
export function endpointCards({ feed$ }: Page): Observable<unknown> {
  const list = byId('endpoints');
  const cards = new Map<string, HTMLElement>();
  const shown$ = feed$.pipe(
    map(({ state }) => state?.endpoints),
    filter((endpoints) => endpoints !== undefined),
    tap((endpoints) => {
      const shown = Object.entries(endpoints).map(([id, state]) => {
        const card = cards.get(id) ?? newCard(id);
        cards.set(id, card);
        showCounts(card, state);
        return card;
      });
      arrange(list, shown);
    }),
  );
  const purges$ = fromEvent(list, 'click').pipe(
    map(({ target }) => (target as Element).closest<HTMLElement>('[data-purge]')?.dataset.purge),
    filter((id) => id !== undefined),
    exhaustMap((id) =>
      client
        .endpoint(id)
        .purgeQueue()
        .pipe(catchError(() => EMPTY)),
    ),
  );
  return merge(shown$, purges$);
}

function newCard(id: string): HTMLElement {
  const purge = element('button', { type: 'button', class: 'quiet', 'data-purge': id }, 'Purge queue');
  const numbers = NUMBERS.map(([title, , name]) =>
    element('div', { class: name }, element('dt', {}, title), element('dd', {}, '0')),
  );
  return element(
    'article',
    { class: 'card', 'aria-label': `Endpoint ${id}` },
    element('header', {}, element('h3', {}, id), purge),
    element('dl', { class: 'numbers' }, ...numbers),
    element('ul', { class: 'workers', 'aria-label': 'Workers' }),
  );
}

function showCounts(card: HTMLElement, { jobs, workers }: EndpointState): void {
  for (const [, member, name] of NUMBERS) {
    const number = first(card, `.${name}`);
    setText(first(number, 'dd'), count(jobs[member]));
    number.toggleAttribute('data-zero', jobs[member] === 0);
  }
  first(card, '[data-purge]').hidden = jobs.inQueue === 0;
  const present = Object.entries(WORKER_COLOURS).filter(([state]) => workers[state as keyof typeof workers] > 0);
  const tags = present.map(([state, colour]) =>
    element('li', { class: `tag ${colour}` }, `${workers[state as keyof typeof workers]} ${state}`),
  );
  first(card, '.workers').replaceChildren(
    ...(tags.length > 0 ? tags : [element('li', { class: 'tag' }, 'no worker is up')]),
  );
}
