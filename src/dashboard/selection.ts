import { distinctUntilChanged, fromEvent, map, startWith, type Observable } from 'rxjs';

const PREFIX = '#job/';

/** The job in the page's address, so that it can be linked to, and the browser's back button closes it. */
export const selected$: Observable<string> = fromEvent(window, 'hashchange').pipe(
  startWith(undefined),
  map(() => (location.hash.startsWith(PREFIX) ? decodeURIComponent(location.hash.slice(PREFIX.length)) : '')),
  distinctUntilChanged(),
);

/** The address of a job's details. */
export function linkTo(id: string): string {
  return PREFIX + encodeURIComponent(id);
}

/** Shows a job's details, or no details. */
export function select(id: string): void {
  location.hash = id === '' ? '' : linkTo(id);
}
