import {
  EMPTY,
  catchError,
  concat,
  concatMap,
  defer,
  finalize,
  of,
  switchMap,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { ConfigurationError, isRunpodError } from '../index.js';
import { OUTAGE, type BatchApi } from './BatchApi.js';
import type { BatchItem } from './BatchItem.js';
import { BatchMemory } from './BatchMemory.js';
import type { BatchRecord, BatchStore } from './BatchStore.js';
import { collectResults } from './collectResults.js';
import { LOST_ANSWER_PAUSE, MAX_ATTEMPTS, createDraft } from './createDraft.js';
import { fillDraft, requestsInDraft, wrong } from './fillDraft.js';
import type { Draft } from './RequestReader.js';
import { rideOut } from './rideOut.js';
import { toItsEnd } from './toItsEnd.js';

/** What all batches of a run share. */
export interface BatchRunContext<I extends object, O> {
  readonly api: BatchApi<I, O>;
  readonly store: BatchStore | undefined;
  readonly every: number;
  /** Whether a batch that is left is cancelled. */
  readonly cancels: boolean;
  /** One draft is made at a time: of two whose answers are lost, nobody could tell which is whose. */
  readonly oneAtATime: <T>(source: Observable<T>) => Observable<T>;
  /** Called when the requests of a batch run. */
  readonly onSubmitted: (count: number) => void;
}

/** One batch of a run: it is made, filled, finalized and watched, and its results are read. What is remembered is not done again. */
export class BatchRun<I extends object, O> {
  readonly #context: BatchRunContext<I, O>;
  readonly #draft: Draft<I>;
  readonly #memory: BatchMemory;
  #hasLeft = false;

  constructor(context: BatchRunContext<I, O>, draft: Draft<I>, known: BatchRecord | undefined) {
    const { number, fingerprint } = draft;
    this.#context = context;
    this.#draft = draft;
    this.#memory = new BatchMemory(context.store, known ?? { v: 1, number, fingerprint, stage: 'creating' });
  }

  /** The items of the batch's requests, as they end. Unsubscribing leaves the batch, and so does an error before it runs. */
  items(): Observable<BatchItem<I, O>> {
    const { api, every, onSubmitted } = this.#context;
    const { requests } = this.#draft;
    const memory = this.#memory;
    if (memory.record.fingerprint !== this.#draft.fingerprint) return throwError(() => this.#otherRequests());
    if (memory.isAt('given')) return EMPTY;
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    return concat(
      defer(() => (memory.isAt('filled') ? this.#replaceCancelled() : this.#fill())),
      defer(() => (memory.isAt('finalized') ? EMPTY : this.#finalize())),
      defer(() => {
        onSubmitted(requests.length);
        return collectResults(api, memory, requests, every);
      }),
      defer(() => memory.write({ stage: 'given' })),
    ).pipe(
      tap({
        complete: end,
        error: () => {
          // What runs goes on; a draft would only take the place of another.
          isOver = memory.isAt('finalized');
        },
      }),
      finalize(() => {
        if (!isOver) this.#leave();
      }),
    );
  }

  #leave(): void {
    this.#hasLeft = true;
    if (this.#context.cancels && this.#memory.record.id !== undefined) this.#context.api.leave(this.#memory.id);
  }

  #fill(): Observable<never> {
    const { api } = this.#context;
    const bodies = this.#draft.requests.map(({ body }) => body);
    const isKnown = this.#memory.isAt('filling');
    return (isKnown ? requestsInDraft(api, this.#memory, bodies) : of(undefined)).pipe(
      concatMap((total) => concat(total === undefined ? this.#create() : EMPTY, of(total ?? 0))),
      concatMap((total) => fillDraft(api, this.#memory, bodies, total)),
    );
  }

  /** Makes a draft. One that is being made is remembered even if nobody waits any more, or is cancelled then. */
  #create(): Observable<never> {
    const { api, oneAtATime } = this.#context;
    const create$ = concat(
      oneAtATime(defer(() => (this.#hasLeft ? EMPTY : createDraft(api, this.#memory)))),
      defer(() => {
        if (this.#hasLeft) this.#leave();
        return EMPTY;
      }),
    );
    return toItsEnd(api.beforeSettled(create$));
  }

  /** A batch that was cancelled before any of its requests ran is made again, and so is a draft that somebody has added to. */
  #replaceCancelled(): Observable<never> {
    if (this.#memory.isAt('finalized')) return EMPTY;
    return this.#context.api.summary(this.#memory.id).pipe(
      concatMap(({ status, requestTotal, requestInProgress, requestCompleted, requestFailed }) => {
        const isOther = status === 'DRAFT' && requestTotal !== this.#draft.requests.length;
        if (isOther) this.#context.api.leave(this.#memory.id);
        const hasRun = requestInProgress + requestCompleted + requestFailed > 0;
        const isCancelled = status === 'CANCELLED' || status === 'FAILED';
        return isOther || (isCancelled && !hasRun)
          ? concat(
              this.#memory.write({ stage: 'creating', id: undefined, first: undefined, children: undefined }),
              defer(() => this.#fill()),
            )
          : EMPTY;
      }),
    );
  }

  /** Has the draft run, unless it does already. */
  #finalize(): Observable<never> {
    return concat(this.#finalizeDraft(1), this.#memory.write({ stage: 'finalized' }));
  }

  /** Only its status tells whether a draft runs whose finalizing had no answer. */
  #finalizeDraft(attempt: number): Observable<never> {
    const { api, every } = this.#context;
    const { id } = this.#memory;
    return api.summary(id).pipe(
      // It may run: to give it up now would lose its results.
      rideOut({ scheduler: api.scheduler, every, outage: OUTAGE }),
      concatMap(({ status, requestTotal }) => {
        if (status !== 'DRAFT') return EMPTY;
        const { length } = this.#draft.requests;
        if (requestTotal !== length)
          throw wrong(api, this.#memory, `it has ${requestTotal} requests, and ${length} were added`);
        return api.finalize(id);
      }),
      catchError((error: unknown) => {
        if (!isRunpodError(error, 'submission_unknown') || attempt === MAX_ATTEMPTS) throw error;
        return timer(LOST_ANSWER_PAUSE, api.scheduler).pipe(switchMap(() => this.#finalizeDraft(attempt + 1)));
      }),
    );
  }

  #otherRequests(): ConfigurationError {
    return new ConfigurationError(
      `batch ${this.#draft.number} in the store has other requests: run it with the same ones, in the same order`,
      { ...this.#context.api.context('batch'), accepted: 'no' },
    );
  }
}
