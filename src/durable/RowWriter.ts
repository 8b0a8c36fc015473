import { AsyncSubject, EMPTY, catchError, concat, defer, ignoreElements, tap, type Observable } from 'rxjs';
import { eventually } from '../server/eventually.js';
import type { JobRow } from './JobRow.js';
import type { JobStore } from './JobStore.js';
import { isNotAccepted, unsentRow } from './rowChanges.js';

/** The part of a store that is about one row. */
export type RowStore = Pick<JobStore, 'get' | 'put'>;

/** Writes the row of one key: one change after the other, each to its end, whether or not anybody waits for it. */
export class RowWriter {
  readonly #store: RowStore;
  #row: JobRow;
  #last$: Observable<never> = EMPTY;

  constructor(store: RowStore, row: JobRow) {
    this.#store = store;
    this.#row = row;
  }

  /** The row as the store has it. */
  get row(): JobRow {
    return this.#row;
  }

  /**
   * Writes a change. Begins at the call; completes once the store has it, or errors with the store's error: then the row is
   * as before.
   *
   * @param change - gives the row as it is when its turn has come; the same row writes nothing
   */
  write(change: (row: JobRow) => JobRow): Observable<never> {
    const written$ = new AsyncSubject<never>();
    const before$ = this.#last$.pipe(catchError(() => EMPTY));
    const own$ = defer(() => {
      const row = change(this.#row);
      if (row === this.#row) return EMPTY;
      return eventually(() => this.#store.put(row)).pipe(
        tap({
          complete: () => {
            this.#row = row;
          },
        }),
        ignoreElements(),
      );
    });
    this.#last$ = written$;
    concat(before$, own$).subscribe(written$);
    return written$.asObservable();
  }

  /** Writes that nothing was accepted, where an error says so. */
  writeRefusal(error: unknown): Observable<never> {
    return isNotAccepted(error) ? this.write(unsentRow) : EMPTY;
  }
}
