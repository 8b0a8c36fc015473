import {
  asyncScheduler,
  bufferTime,
  concat,
  distinctUntilChanged,
  filter,
  interval,
  map,
  merge,
  mergeMap,
  of,
  share,
  startWith,
  takeUntil,
} from 'rxjs';
import type { Observable } from 'rxjs';
import type { Emulator } from '../emulator/server/index.js';
import { jobLines } from './jobLines.js';
import { requestLine } from './requestLine.js';
import { statusLines } from './statusLines.js';
import type { Text } from './Text.js';

/** Milliseconds of real time between two looks at the emulator's state. */
const REFRESH_INTERVAL = 250;

/** Lines that one look may add. A busy emulator would otherwise flood the screen. */
const MAX_LINES_PER_REFRESH = 40;

/** The output about a running emulator. */
export interface View {
  /** Emits a line for each event: a job changed its state, or a request was refused or struck. */
  readonly lines$: Observable<Text>;
  /** Emits the status lines when they have changed. */
  readonly status$: Observable<readonly Text[]>;
}

/** Looks at the emulator's state a few times a second until `end$` emits, and then once more. */
export function view(emulator: Pick<Emulator, 'state' | 'jobs' | 'requests$'>, end$: Observable<unknown>): View {
  const looks$ = interval(REFRESH_INTERVAL, asyncScheduler).pipe(startWith(0), takeUntil(end$));
  const state$ = concat(looks$, of(0)).pipe(
    map(() => emulator.state()),
    share(),
  );
  const newJobLines = jobLines();
  const jobLines$ = state$.pipe(
    distinctUntilChanged((one, two) => one.requests.total === two.requests.total && same(one.endpoints, two.endpoints)),
    map(() => newJobLines(emulator.jobs())),
  );
  const requests$ = emulator.requests$.pipe(takeUntil(end$));
  const requestLines$ = requests$.pipe(
    map((request) => requestLine(request)),
    filter((line) => line !== undefined),
    bufferTime(REFRESH_INTERVAL),
  );
  let before: number | undefined;
  return {
    lines$: merge(jobLines$, requestLines$).pipe(mergeMap((lines) => atMost(MAX_LINES_PER_REFRESH, lines))),
    status$: state$.pipe(
      map((state) => {
        const { total } = state.requests;
        const perSecond = Math.round(((total - (before ?? total)) * 1_000) / REFRESH_INTERVAL);
        before = total;
        return statusLines(state, perSecond);
      }),
      distinctUntilChanged<readonly Text[]>(same),
    ),
  };
}

function atMost(most: number, lines: readonly Text[]): readonly Text[] {
  return lines.length <= most ? lines : [...lines.slice(0, most), `… and ${lines.length - most} more`];
}

function same(one: unknown, two: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(two);
}
