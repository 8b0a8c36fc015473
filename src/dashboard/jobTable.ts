import { filter, fromEvent, map, merge, tap, withLatestFrom, type Observable } from 'rxjs';
import type { JobRow } from '../emulator/server/dashboard/FeedEvent.js';
import { arrange, byId, element, setText } from './dom.js';
import { age, count, counted, duration } from './format.js';
import type { PageEvent } from './feed.js';
import type { Page } from './Page.js';
import { linkTo } from './selection.js';
import { statusTag } from './statusTag.js';

interface Shown {
  readonly job: JobRow;
  readonly row: HTMLTableRowElement;
}

/** The table of the newest jobs. It holds as many rows as the emulator sends, and changes only those that changed. */
export function jobTable({ feed$, filter$, selected$ }: Page): Observable<unknown> {
  const table = new JobTable(byId('job-rows'));
  const isFiltered$ = filter$.pipe(map((bounds) => Object.values(bounds).some((bound) => bound !== '')));
  const rows$ = feed$.pipe(
    withLatestFrom(isFiltered$),
    tap(([event, isFiltered]) => {
      if (event.jobs) {
        table.show(event.jobs);
        showCount(event.jobs, isFiltered);
      }
      table.showTimes(event.now);
    }),
  );
  return merge(rows$, selected$.pipe(tap((id) => table.mark(id))), arrowKeys(byId('job-rows')));
}

class JobTable {
  readonly #body: HTMLElement;
  #shown = new Map<string, Shown>();
  #selected = '';

  constructor(body: HTMLElement) {
    this.#body = body;
  }

  show({ ids, changed }: NonNullable<PageEvent['jobs']>): void {
    const news = new Map(changed.map((job) => [job.id, job]));
    const entries = ids.flatMap((id) => {
      const before = this.#shown.get(id);
      const job = news.get(id) ?? before?.job;
      return job ? [[id, entryOf(job, before)] as const] : [];
    });
    this.#shown = new Map(entries);
    arrange(
      this.#body,
      entries.map(([, { row }]) => row),
    );
    this.mark(this.#selected);
  }

  mark(id: string): void {
    this.#shown.get(this.#selected)?.row.classList.remove('selected');
    this.#selected = id;
    this.#shown.get(id)?.row.classList.add('selected');
    // One row can be reached by Tab, and the others from there by arrows.
    const inOrder = id !== '' && this.#shown.has(id) ? id : [...this.#shown.keys()][0];
    for (const [other, { row }] of this.#shown)
      row.querySelector('a')?.setAttribute('tabindex', other === inOrder ? '0' : '-1');
  }

  showTimes(now: number): void {
    for (const { job, row } of this.#shown.values()) {
      const { submittedAt, startedAt, endedAt = now } = job;
      setText(cell(row, 3), age(now - submittedAt));
      setText(cell(row, 4), duration((startedAt ?? endedAt) - submittedAt));
      setText(cell(row, 5), startedAt === undefined ? '' : duration(endedAt - startedAt));
    }
  }
}

/** A row stays in its place, so that the focus stays in it, and only its cells that may have changed are replaced. */
function entryOf(job: JobRow, before: Shown | undefined): Shown {
  if (!before) return { job, row: rowOf(job) };
  const { row } = before;
  // The first event of a connection has all jobs, and most of them are as they were.
  if (JSON.stringify(job) === JSON.stringify(before.job)) return before;
  const now = rowOf(job);
  for (const at of [1, 6]) cell(row, at).replaceWith(cell(now, at).cloneNode(true));
  return { job, row };
}

function rowOf({ id, status, endpointId, chunks, retries }: JobRow): HTMLTableRowElement {
  const again = retries > 0 ? [' ', element('span', { class: 'faint' }, 'again')] : [];
  return element(
    'tr',
    {},
    element('td', {}, element('a', { href: linkTo(id) }, id)),
    element('td', {}, statusTag(status), ...again),
    element('td', {}, endpointId),
    element('td', { class: 'number faint' }),
    element('td', { class: 'number' }),
    element('td', { class: 'number' }),
    element('td', { class: 'number' }, chunks === 0 ? '' : count(chunks)),
  );
}

function cell(row: HTMLTableRowElement, at: number): HTMLElement {
  return row.cells[at] ?? row;
}

function showCount({ ids, matching, total }: NonNullable<PageEvent['jobs']>, isFiltered: boolean): void {
  const isCut = matching > ids.length;
  const found = isFiltered ? `${count(matching)} of ${counted(total, 'job')}` : counted(total, 'job');
  setText(byId('job-count'), isCut ? `${found}, the latest ${count(ids.length)} shown` : found);
  const hint = byId('no-jobs');
  hint.hidden = ids.length > 0;
  setText(
    hint,
    isFiltered && total > 0
      ? 'No job fits. Clear the filter to see all.'
      : 'No jobs yet. Send one by the form, or point a client at the base URL above.',
  );
}

/** Moves the focus from row to row. */
function arrowKeys(body: HTMLElement): Observable<unknown> {
  return fromEvent<KeyboardEvent>(body, 'keydown').pipe(
    filter(({ key }) => key === 'ArrowDown' || key === 'ArrowUp'),
    tap((event) => {
      const row = (event.target as Element).closest('tr');
      const next = event.key === 'ArrowDown' ? row?.nextElementSibling : row?.previousElementSibling;
      event.preventDefault();
      next?.querySelector('a')?.focus();
    }),
  );
}
