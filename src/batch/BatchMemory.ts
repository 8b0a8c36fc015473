import { defer, ignoreElements, of, tap, type Observable } from 'rxjs';
import { eventually } from '../server/eventually.js';
import type { BatchRecord, BatchStage, BatchStore } from './BatchStore.js';

/** What changes in a record; `undefined` takes a member out of it. */
export type BatchChange = { readonly [K in keyof BatchRecord]?: BatchRecord[K] | undefined };

const STAGES: readonly BatchStage[] = ['creating', 'filling', 'filled', 'finalized', 'given'];

/** What is remembered of one batch, here and in the store. */
export class BatchMemory {
  readonly #store: BatchStore | undefined;
  #record: BatchRecord;

  constructor(store: BatchStore | undefined, record: BatchRecord) {
    this.#store = store;
    this.#record = record;
  }

  get record(): BatchRecord {
    return this.#record;
  }

  /** The id of the batch. */
  get id(): string {
    return this.#record.id ?? '';
  }

  /** Whether the batch has come as far as this. */
  isAt(stage: BatchStage): boolean {
    return STAGES.indexOf(this.#record.stage) >= STAGES.indexOf(stage);
  }

  /** Writes a change to the store first. Emits nothing. */
  write(change: BatchChange): Observable<never> {
    return defer(() => {
      const record = { ...this.#record, ...change } as BatchRecord;
      const written$ = this.#store ? eventually(() => this.#store?.write(record)) : of(undefined);
      return written$.pipe(
        tap(() => {
          this.#record = record;
        }),
        ignoreElements(),
      );
    });
  }
}
