import {
  EMPTY,
  catchError,
  concat,
  concatMap,
  defer,
  map,
  of,
  switchMap,
  throwError,
  timer,
  toArray,
  type Observable,
} from 'rxjs';
import { isRunpodError } from '../index.js';
import type { BatchApi } from './BatchApi.js';
import type { BatchMemory } from './BatchMemory.js';
import { bodyChunks } from './bodyChunks.js';
import { LOST_ANSWER_PAUSE } from './createDraft.js';

/**
 * How many requests a draft has already; `undefined` where it is a draft no more, or has others: that one is cancelled. Nothing of
 * a draft has run, so that another can take its place.
 *
 * @param bodies - all requests of the batch, as JSON
 */
export function requestsInDraft<I extends object, O>(
  api: BatchApi<I, O>,
  { id, record: { first } }: BatchMemory,
  bodies: readonly string[],
): Observable<number | undefined> {
  const totals = totalsOf(bodies);
  return api.summary(id).pipe(
    map(({ status, requestTotal }) => {
      if (status !== 'DRAFT') return undefined;
      if (totals.includes(requestTotal) && (requestTotal <= 1 || first !== undefined)) return requestTotal;
      api.leave(id);
      return undefined;
    }),
    catchError((error: unknown) => (isRunpodError(error, 'not_found') ? of(undefined) : throwError(() => error))),
  );
}

/** How many requests a draft has after each addition. */
function totalsOf(bodies: readonly string[]): number[] {
  let total = 1;
  return [0, 1, ...bodyChunks(bodies.slice(1)).map((chunk) => (total += chunk.length))];
}

/**
 * Adds requests to a draft, from the one that it has not yet. Emits nothing; the memory knows all requests by their ids then.
 *
 * The first is added alone: the place of its id in the list tells whether the list begins with the oldest or the newest.
 *
 * @param bodies - all requests of the batch, as JSON
 * @param total - how many of them the draft has
 */
export function fillDraft<I extends object, O>(
  api: BatchApi<I, O>,
  memory: BatchMemory,
  bodies: readonly string[],
  total: number,
): Observable<never> {
  const first$ = total === 0 ? append(api, memory, bodies.slice(0, 1), 0) : EMPTY;
  let at = Math.max(1, total);
  const others = bodyChunks(bodies.slice(at)).map((chunk) => {
    const before = at;
    at += chunk.length;
    return defer(() => append(api, memory, chunk, before));
  });
  return concat(
    first$,
    defer(() => (memory.record.first === undefined ? learnFirst(api, memory) : EMPTY)),
    ...others,
    defer(() => learnChildren(api, memory, bodies.length)),
  );
}

/** Adds requests to the draft. Where the answer is lost, how many it has tells whether they were added. */
function append<I extends object, O>(
  api: BatchApi<I, O>,
  memory: BatchMemory,
  bodies: readonly string[],
  before: number,
): Observable<never> {
  return api.appendBodies(memory.id, bodies).pipe(
    catchError((error: unknown) => {
      if (!isRunpodError(error, 'submission_unknown')) throw error;
      return timer(LOST_ANSWER_PAUSE, api.scheduler).pipe(
        switchMap(() => api.summary(memory.id)),
        switchMap(({ requestTotal }) => {
          if (requestTotal === before + bodies.length) return EMPTY;
          if (requestTotal === before) return append(api, memory, bodies, before);
          throw wrong(api, memory, `it has ${requestTotal} requests, not ${before} nor ${before + bodies.length}`);
        }),
      );
    }),
  );
}

function learnFirst<I extends object, O>(api: BatchApi<I, O>, memory: BatchMemory): Observable<never> {
  return childIds(api, memory).pipe(
    concatMap((ids) => {
      const [first, ...others] = ids;
      if (first === undefined || others.length > 0)
        throw wrong(api, memory, `it lists ${ids.length} requests, and 1 was added`);
      return memory.write({ first });
    }),
  );
}

/** Learns which request has which id, while nothing runs yet. */
function learnChildren<I extends object, O>(
  api: BatchApi<I, O>,
  memory: BatchMemory,
  count: number,
): Observable<never> {
  return childIds(api, memory).pipe(
    concatMap((ids) => {
      const { first } = memory.record;
      if (ids.length !== count) throw wrong(api, memory, `it lists ${ids.length} requests, and ${count} were added`);
      if (ids[0] === first) return memory.write({ stage: 'filled', children: ids });
      if (ids.at(-1) === first) return memory.write({ stage: 'filled', children: [...ids].reverse() });
      throw wrong(api, memory, 'it lists its requests in an order that is not known');
    }),
  );
}

function childIds<I extends object, O>(api: BatchApi<I, O>, { id }: BatchMemory): Observable<string[]> {
  return api.children(id).pipe(
    map((child) => child.id),
    toArray(),
  );
}

/** The error of a draft that has other requests than were added. */
export function wrong<I extends object, O>(api: BatchApi<I, O>, { id }: BatchMemory, what: string): Error {
  return api.responseError(`the batch ${id} is not as it was filled: ${what}`);
}
