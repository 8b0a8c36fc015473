import {
  EMPTY,
  catchError,
  concat,
  concatMap,
  defer,
  finalize,
  from,
  merge,
  of,
  repeat,
  switchMap,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { assertOptions, invalidOptions } from '../errors/invalidOptions.js';
import type { JobRequest } from '../index.js';
import { must } from '../protocol/checks.js';
import { eventually } from '../server/eventually.js';
import type { BatchApi } from './BatchApi.js';
import type { BatchItem } from './BatchItem.js';
import { BatchRun, type BatchRunContext } from './BatchRun.js';
import { MAX_BATCH_REQUESTS, checksOfRun, type BatchRunOptions } from './BatchRunOptions.js';
import type { BatchRecord } from './BatchStore.js';
import { exclusive } from './exclusive.js';
import { RequestReader, type Draft } from './RequestReader.js';

/** Runs requests in batches: see `Batches.run`. */
export function runBatches<I extends object, O>(
  api: BatchApi<I, O>,
  requests: Iterable<JobRequest<I>> | AsyncIterable<JobRequest<I>>,
  options: BatchRunOptions,
): Observable<BatchItem<I, O>> {
  assertOptions('run', options, checksOfRun);
  const isIterable = Symbol.iterator in Object(requests) || Symbol.asyncIterator in Object(requests);
  const issues = must(isIterable, 'requests', requests, 'be an iterable');
  if (issues.length) throw invalidOptions('run', issues);
  const { store, batchSize = MAX_BATCH_REQUESTS, every = 5_000, concurrency = 2, totals } = options;
  return defer(() => {
    const source = new RequestReader(requests, batchSize, api.context('batch'));
    const counts = { submitted: 0, done: 0, failed: 0 };
    const report = () => {
      totals?.next({ taken: source.taken, ...counts });
    };
    const context: BatchRunContext<I, O> = {
      api,
      store,
      every,
      oneAtATime: exclusive(),
      cancels: (options.onUnsubscribe ?? (store ? 'detach' : 'cancel')) === 'cancel',
      onSubmitted: (count) => {
        counts.submitted += count;
        report();
      },
    };
    let failure: { readonly error: unknown } | undefined;

    const runDraft = (draft: Draft<I>, records: readonly BatchRecord[]) => {
      if (draft.requests.length === 0) return from(draft.refused);
      const known = records.find(({ number }) => number === draft.number);
      return concat(from(draft.refused), new BatchRun(context, draft, known).items());
    };
    return (store ? eventually(() => store.read()) : of([])).pipe(
      switchMap((records) => {
        const readNext = exclusive();
        const work = (): Observable<BatchItem<I, O>> => {
          let isLast = false;
          return defer(() => readNext(source.next())).pipe(
            concatMap((draft) => {
              isLast = !draft;
              return draft ? runDraft(draft, records) : EMPTY;
            }),
            // Not at once: thousands of batches that are done already would nest.
            repeat({ delay: () => (isLast ? EMPTY : timer(0, api.scheduler)) }),
            // The other batches run, and are paid: their results come first.
            catchError((error: unknown) => {
              failure ??= { error };
              source.close();
              return EMPTY;
            }),
          );
        };
        return concat(
          merge(...Array.from({ length: concurrency }, work)),
          defer(() => {
            const ended = failure;
            return ended ? throwError(() => ended.error) : EMPTY;
          }),
        );
      }),
      tap((item) => {
        if (item.ok) counts.done += 1;
        else counts.failed += 1;
        report();
      }),
      finalize(() => {
        source.close();
      }),
    );
  });
}
