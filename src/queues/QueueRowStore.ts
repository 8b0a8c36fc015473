import { BehaviorSubject, concatMap, map, of, tap, throwError, type Observable, type SchedulerLike } from 'rxjs';
import type { JobRow } from '../durable/JobRow.js';
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
    const condition = { before: this.#text, owned: row.state === 'wanted' || row.state === 'sending' };
    return eventually(() => this.#row.write(text, condition)).pipe(
      patiently(this.#scheduler),
      concatMap((result) => (result === 'written' ? of(result) : throwError(() => refusal(result)))),
      tap(() => {
        this.#text = text;
        this.#row$.next(next);
      }),
    );
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
