import {
  EMPTY,
  catchError,
  filter,
  finalize,
  ignoreElements,
  interval,
  map,
  merge,
  share,
  takeUntil,
  tap,
  type Observable,
} from 'rxjs';
import type { Job } from '../../index.js';
import { durationScheduler } from '../../time/clocks.js';
import { JobDisplay } from './JobDisplay.js';
import { showEnd, type EndOptions } from './showEnd.js';
import type { Session } from './Session.js';

/** How often the status line is drawn again, in milliseconds. */
const REDRAW = 250;

/** Shows a job until it is over, and writes what it gives; emits the exit code. Unsubscribing leaves the job. */
export function followJob(session: Session, job: Job, options: EndOptions = {}): Observable<number> {
  const scheduler = durationScheduler();
  const display = new JobDisplay(session, scheduler);
  const events$ = job.events$.pipe(
    tap((event) => {
      display.take(event);
    }),
    share(),
  );
  const ended$ = events$.pipe(filter((event) => event.type === 'ended'));
  const explained$ = job.diagnosis$.pipe(
    tap((diagnosis) => {
      display.explain(diagnosis);
    }),
    // The health may not be this key's to read.
    catchError(() => EMPTY),
  );
  const drawn$ = merge(interval(REDRAW, scheduler), explained$).pipe(
    tap(() => {
      display.draw();
    }),
    ignoreElements(),
    takeUntil(ended$),
  );
  const exitCode$ = ended$.pipe(
    map(({ snapshot }) => {
      display.end();
      return showEnd(session, snapshot, options);
    }),
  );
  return merge(exitCode$, session.isLive ? drawn$ : EMPTY).pipe(
    finalize(() => {
      display.end();
    }),
  );
}
