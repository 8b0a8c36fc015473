import {
  EMPTY,
  catchError,
  concat,
  defer,
  fromEvent,
  ignoreElements,
  lastValueFrom,
  map,
  merge,
  noop,
  of,
  skipUntil,
  take,
  takeUntil,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import { isRunpodError, type JobRef, type SettleReport } from '../../index.js';
import { durationScheduler } from '../../time/clocks.js';
import { EXIT } from './exitCodes.js';
import { failureOf, type Failure } from './failureOf.js';
import { Session, type SessionOptions } from './Session.js';
import type { GoesOn, Work } from './Work.js';

/** How long jobs that go on are waited for to have their ids, in milliseconds: Docker kills after ten seconds. */
const DETACH_TIME = 8_000;

/** A second signal within this time is the same key: the terminal sends it, and npm and npx pass it on once more. */
const SAME_KEY = 200;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const scheduler = durationScheduler();

/** How a command ends. */
interface End {
  readonly exitCode: number;
  /** Whether it ends before its work is done. */
  readonly isEarly?: boolean;
  /** What is said of jobs that go on. */
  readonly detached$?: Observable<GoesOn> | undefined;
}

/**
 * Runs a command until its work is done, a signal comes, or nobody reads its output any more. Ends the process, with the exit code.
 *
 * Ctrl-C leaves: jobs of the command are cancelled, and a second Ctrl-C ends at once. SIGTERM and SIGHUP have jobs go on,
 * where the work can be taken up again.
 */
export async function runSession(
  process: NodeJS.Process,
  options: SessionOptions,
  start: (session: Session) => Work,
): Promise<void> {
  let session: Session;
  let work: Work;
  try {
    session = new Session(process, options);
    work = start(session);
  } catch (error) {
    Session.refuse(process, failureOf(error), options);
    process.exitCode = EXIT.usage;
    return;
  }
  // Also when nothing listens to them any more: an error that nobody hears ends Node, and so does a signal.
  process.stdout.on('error', noop);
  process.stderr.on('error', noop);
  for (const signal of SIGNALS) process.on(signal, noop);
  const end = await lastValueFrom(
    merge(doneOf(session, work), signalOf(process, work), closedOutputOf(process, work)).pipe(take(1)),
  );
  process.exitCode = end.exitCode;
  const left$ = concat(leave(session, work, end), checkOutput(process, session, end)).pipe(
    takeUntil(impatience(process, session, end)),
  );
  await lastValueFrom(left$, { defaultValue: undefined });
  session.close();
  // Node would wait for the end of an input that is still open, and for requests that were given up.
  process.exit();
}

/** Completes once the output is written. Where it could not be, the exit code says so, and so does a message. */
function checkOutput(process: NodeJS.Process, session: Session, { isEarly }: End): Observable<never> {
  return session.flushed().pipe(
    catchError((error: unknown) => {
      const failure = outputFailureOf(error);
      // A reader that has gone wants to hear nothing.
      if (failure.exitCode !== EXIT.outputClosed) session.fail(failure);
      if (!isEarly || failure.exitCode !== EXIT.outputClosed) process.exitCode = failure.exitCode;
      return EMPTY;
    }),
  );
}

function outputFailureOf(error: unknown): Failure {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  const isClosed = code === 'EPIPE' || code === 'ECONNRESET';
  return {
    code: 'output',
    message: `the output could not be written: ${code}`,
    exitCode: isClosed ? EXIT.outputClosed : EXIT.failed,
  };
}

/** Does the work, and says what goes wrong. */
function doneOf(session: Session, work: Work): Observable<End> {
  return defer(() => work.exitCode$).pipe(
    take(1),
    map((exitCode) => ({ exitCode })),
    catchError((error: unknown) => {
      const failure = failureOf(error);
      session.fail(failure);
      // It could not be read any more, which is no wish to cancel it. After a gap in its chunks it is over.
      const goesOn = isRunpodError(error) && error.ref !== undefined && error.code !== 'stream_gap';
      return of({ exitCode: failure.exitCode, detached$: goesOn ? work.detach?.() : undefined });
    }),
  );
}

function signalOf(process: NodeJS.Process, work: Work): Observable<End> {
  const on = (signal: NodeJS.Signals, exitCode: number, detaches: boolean) =>
    fromEvent(process, signal).pipe(
      map(() => ({ exitCode, isEarly: true, detached$: detaches ? work.detach?.() : undefined })),
    );
  return merge(
    on('SIGINT', work.endsByInterrupt ? EXIT.done : EXIT.interrupted, false),
    on('SIGTERM', EXIT.terminated, true),
    on('SIGHUP', EXIT.hungUp, true),
  );
}

/** The reader of a pipe may go before the work is done. */
function closedOutputOf({ stdout, stderr }: NodeJS.Process, work: Work): Observable<End> {
  return merge(fromEvent(stdout, 'error'), fromEvent(stderr, 'error')).pipe(
    map(() => ({
      exitCode: EXIT.outputClosed,
      isEarly: true,
      detached$: work.outlivesOutput ? work.detach?.() : undefined,
    })),
  );
}

/** Has what was left end: cancels are confirmed, or ids are known. */
function leave(session: Session, work: Work, { isEarly, detached$ }: End): Observable<never> {
  const detaches = detached$ !== undefined;
  const waiting = unansweredWords(session) ?? work.leaving?.();
  if (isEarly && !detaches && waiting !== undefined) sayWaiting(session, `${waiting} … Ctrl-C again ends at once`);
  // Jobs that go on have their ids first. Any others are left by it at once.
  const report$ = detaches ? defer(() => session.client.close()) : session.client.close();
  const settled$ = concat(
    sayingErrors(session, (detached$ ?? EMPTY).pipe(tap((goesOn) => session.warn({ code: 'aborted', ...goesOn })))),
    sayingErrors(session, work.afterLeaving?.() ?? EMPTY),
    report$.pipe(tap((report) => sayReport(session, report, isEarly))),
  ).pipe(ignoreElements());
  const late$ = timer(DETACH_TIME, scheduler).pipe(
    tap(() => {
      const message = 'some answers did not come in time: what was sent without an answer may run';
      session.warn({ code: 'submission_unknown', message });
    }),
  );
  return detaches ? settled$.pipe(takeUntil(late$)) : settled$;
}

/** Who waits without a word does not know what for, nor that a job may be accepted meanwhile. */
function unansweredWords({ unanswered }: Session): string | undefined {
  if (unanswered === 0) return undefined;
  const what = unanswered === 1 ? 'a job was sent' : `${unanswered} jobs were sent`;
  // With what follows it, no longer than the line of a terminal.
  return `${what}: waiting for the answer`;
}

/** On a terminal the line goes away with the waiting. */
function sayWaiting(session: Session, message: string): void {
  if (session.isLive) session.status([message]);
  else session.warn({ code: 'aborted', message });
}

/** What follows must be done all the same. */
function sayingErrors<T>(session: Session, source: Observable<T>): Observable<T> {
  return source.pipe(
    catchError((error: unknown) => {
      session.fail(failureOf(error));
      return EMPTY;
    }),
  );
}

function sayReport(session: Session, { cancelled, abandoned, lost }: SettleReport, isEarly = false): void {
  if (isEarly && cancelled.length > 0) session.say(`cancelled: ${named(cancelled, 3)}`);
  if (abandoned.length > 0)
    session.warn({ code: 'aborted', message: `could not be cancelled, and may run on: ${named(abandoned, Infinity)}` });
  if (lost.length > 0)
    session.warn({ code: 'submission_unknown', message: `sent without an answer, and may run: ${lost.length}` });
}

/** The ids of jobs, or how many there are. */
function named(jobs: readonly JobRef[], most: number): string {
  return jobs.length > most ? `${jobs.length} jobs` : jobs.map(({ id }) => id).join(', ');
}

/** Emits at a second signal, after which Node is not waited for either. */
function impatience(process: NodeJS.Process, session: Session, { exitCode }: End): Observable<unknown> {
  const again$ = merge(...SIGNALS.map((signal) => fromEvent(process, signal)));
  return again$.pipe(
    skipUntil(timer(SAME_KEY, scheduler)),
    tap(() => {
      session.warn(
        session.unanswered > 0
          ? { code: 'submission_unknown', message: 'ended at once: a job was sent, and may be running' }
          : { code: 'aborted', message: 'ended at once: a job that was not cancelled yet may be running' },
      );
      session.close();
      process.exit(exitCode);
    }),
  );
}
