import {
  EMPTY,
  catchError,
  concat,
  concatMap,
  defer,
  filter,
  from,
  map,
  mergeMap,
  of,
  subscribeOn,
  switchMap,
  take,
  type Observable,
} from 'rxjs';
import { isRunpodError, isTerminal, jobError, type TerminalSnapshot } from '../index.js';
import { OUTAGE, type BatchApi } from './BatchApi.js';
import type { BatchItem, BatchItemBase } from './BatchItem.js';
import type { BatchMemory } from './BatchMemory.js';
import { isBatchOver } from './BatchSummary.js';
import { rideOut } from './rideOut.js';
import type { DraftRequest } from './RequestReader.js';

/** How many results are read at a time. */
const READS_AT_ONCE = 20;

/**
 * Watches a batch, and reads the result of each of its requests as it ends. Emits an item for each, and completes after the
 * last.
 */
export function collectResults<I extends object, O>(
  api: BatchApi<I, O>,
  { id: batchId, record: { children = [] } }: BatchMemory,
  requests: readonly DraftRequest<I>[],
  every: number,
): Observable<BatchItem<I, O>> {
  return defer(() => {
    /** Requests without an item, by their ids. */
    const waiting = new Map(children.flatMap((id, nth) => (requests[nth] ? [[id, requests[nth]] as const] : [])));
    const ended$ = api.children(batchId).pipe(
      rideOut({ scheduler: api.scheduler, every, outage: OUTAGE }),
      filter(({ snapshot }) => isTerminal(snapshot)),
      map(({ id }) => id),
    );
    const read = (id: string): Observable<BatchItem<I, O>> => {
      const given = waiting.get(id);
      waiting.delete(id);
      const item$ = given ? resultOf(api, { index: given.index, request: given.request, batchId, jobId: id }) : EMPTY;
      // `mergeMap` goes one level deeper for each of its waiting values that ends at once, and thousands may wait.
      return item$.pipe(subscribeOn(api.scheduler));
    };
    return api.watch(batchId, { every }).pipe(
      concatMap((summary) => {
        const isOver = isBatchOver(summary);
        const given = requests.length - waiting.size;
        if (!isOver && summary.requestCompleted + summary.requestFailed <= given) return EMPTY;
        // In the end, a request that the list does not show as ended yet is waited for by itself.
        const rest$ = defer(() => from(isOver ? [...waiting.keys()] : []));
        return concat(ended$, rest$).pipe(
          filter((id) => waiting.has(id)),
          mergeMap(read, READS_AT_ONCE),
        );
      }),
      // The counters may count otherwise than is documented.
      take(waiting.size),
    );
  });
}

/** The item of a request that has ended. The list does not have its output. */
function resultOf<I extends object, O>(
  { endpoint }: BatchApi<I, O>,
  base: BatchItemBase<I> & { readonly jobId: string },
): Observable<BatchItem<I, O>> {
  return endpoint.status(base.jobId).pipe(
    catchError((error: unknown) => {
      // `watchToEnd` rides it out.
      if (isRunpodError(error) && error.retryable) return of(undefined);
      throw error;
    }),
    switchMap((snapshot) =>
      snapshot && isTerminal(snapshot) ? of(snapshot) : endpoint.watchToEnd(base.jobId, { outage: OUTAGE }),
    ),
    map((snapshot: TerminalSnapshot<O>): BatchItem<I, O> =>
      snapshot.status === 'COMPLETED'
        ? { ...base, ok: true, output: snapshot.output, snapshot }
        : { ...base, ok: false, error: jobError(snapshot, { operation: 'status' }), snapshot },
    ),
    catchError((error: unknown) => of<BatchItem<I, O>>({ ...base, ok: false, error })),
    // A call may fail while its answer is given, as by the closing of the client.
    take(1),
  );
}
