import {
  BehaviorSubject,
  EMPTY,
  catchError,
  concat,
  concatMap,
  defer,
  filter,
  finalize,
  ignoreElements,
  map,
  of,
  take,
  tap,
  throwError,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import type { JobRow } from '../durable/JobRow.js';
import { unsentRow } from '../durable/rowChanges.js';
import { rowOfJson, rowToJson } from '../durable/rowJson.js';
import type { RowStore } from '../durable/RowWriter.js';
import { eventually } from '../server/eventually.js';
import { patiently } from './patiently.js';
import {
  JobLostError,
  QueueCancelError,
  RowChangedError,
  type QueueJobRow,
  type QueueRow,
  type WriteResult,
} from './QueueRow.js';

/**
 * A store with the row of one job, for one delivery of it.
 *
 * Each write depends on the row being as this delivery has last seen it, so that two workers which both take the job for
 * theirs never write over each other's. What leads to a submission needs the queue's lock as well. What is known to be true,
 * such as the id that a submission was answered with, does not: it helps the worker that has the job now.
 */
export class QueueRowStore implements RowStore {
  readonly #row: QueueRow;
  readonly #attempt: string;
  readonly #scheduler: SchedulerLike;
  readonly #row$ = new BehaviorSubject<QueueJobRow | undefined>(undefined);
  /** How many writes are on their way. */
  readonly #writes$ = new BehaviorSubject(0);
  #text: string | undefined;

  constructor(row: QueueRow, { attempt, scheduler }: { readonly attempt: string; readonly scheduler: SchedulerLike }) {
    this.#row = row;
    this.#attempt = attempt;
    this.#scheduler = scheduler;
  }

  /** The row as this delivery sees it: the last at once. */
  get row$(): Observable<QueueJobRow | undefined> {
    return this.#row$;
  }

  /** The row as this delivery has last seen it. */
  get row(): JobRow | undefined {
    return this.#row$.value;
  }

  /** Completes once no write is on its way. */
  written(): Observable<never> {
    return this.#writes$.pipe(
      filter((count) => count === 0),
      take(1),
      ignoreElements(),
    );
  }

  get(): Observable<JobRow | undefined> {
    return eventually(() => this.#row.read()).pipe(
      patiently(this.#scheduler),
      map((text) => {
        this.#text = text ?? undefined;
        // Written by `put`.
        const row = text ? (rowOfJson(text) as QueueJobRow) : undefined;
        this.#row$.next(row);
        return row;
      }),
    );
  }

  put(row: JobRow): Observable<unknown> {
    const next: QueueJobRow = { ...row, attempt: this.#attempt };
    const text = rowToJson(next);
    const condition = { before: this.#text, owned: this.#leadsToSubmission(row) };
    const write$ = eventually(() => this.#row.write(text, condition)).pipe(
      patiently(this.#scheduler),
      concatMap((result) => (result === 'written' ? of(result) : this.#refuse(result, next, text))),
      tap(() => {
        this.#text = text;
        this.#row$.next(next);
      }),
    );
    return defer(() => {
      this.#writes$.next(this.#writes$.value + 1);
      return write$.pipe(
        finalize(() => {
          this.#writes$.next(this.#writes$.value - 1);
        }),
      );
    });
  }

  /**
   * A write whose answer was lost may have said already that the job is sent, before the write that was refused. It is not: the
   * next worker must not take it for ambiguous.
   */
  #refuse(result: Exclude<WriteResult, 'written'>, row: QueueJobRow, text: string): Observable<never> {
    const withdrawn = rowToJson(unsentRow(row));
    const withdraw$ =
      withdrawn === text
        ? EMPTY
        : eventually(() => this.#row.write(withdrawn, { before: text, owned: false })).pipe(
            ignoreElements(),
            catchError(() => EMPTY),
          );
    return concat(
      withdraw$,
      throwError(() => refusal(result)),
    );
  }

  /** A job that was about to be sent, and was not, is wanted as before: that is true, whoever has the job. */
  #leadsToSubmission({ state, generation }: JobRow): boolean {
    return state === 'sending' || (state === 'wanted' && generation !== this.row?.generation);
  }
}

function refusal(result: Exclude<WriteResult, 'written'>): Error {
  switch (result) {
    case 'changed':
      return new RowChangedError('another worker has written the row of this job');
    case 'lost':
      return new JobLostError('another worker has this job, or will have it');
    case 'cancelled':
      return new QueueCancelError('the job was cancelled in the queue');
  }
}
