import { EMPTY, catchError, concat, concatMap, defer, map, of, switchMap, timer, type Observable } from 'rxjs';
import { isRunpodError } from '../index.js';
import type { BatchApi } from './BatchApi.js';
import type { BatchMemory } from './BatchMemory.js';
import type { BatchSummary } from './BatchSummary.js';

/** After a lost answer, how long the service is given to show what it did, in milliseconds. */
export const LOST_ANSWER_PAUSE = 2_000;

/** How often a change is tried whose answers are lost. */
export const MAX_ATTEMPTS = 5;

/**
 * Makes a draft for a batch, or finds the one that was made when an answer was lost, or before a crash. Emits nothing; the memory
 * has its id then.
 */
export function createDraft<I extends object, O>(api: BatchApi<I, O>, memory: BatchMemory): Observable<never> {
  const name = nameOf(memory);
  const lost$ = defer(() => api.list()).pipe(map((all) => ownDraft(all, memory, name)));
  const made$ = (attempt: number): Observable<string> =>
    concat(
      defer(() => api.list()).pipe(
        concatMap((all) => memory.write({ stage: 'creating', before: all.map(({ id }) => id), id: undefined })),
      ),
      api.create().pipe(
        catchError((error: unknown) => {
          if (!isRunpodError(error, 'submission_unknown') || attempt === MAX_ATTEMPTS) throw error;
          return timer(LOST_ANSWER_PAUSE, api.scheduler).pipe(
            switchMap(() => lost$),
            // A draft costs nothing: one that is not there is made again.
            switchMap((id) => (id === undefined ? made$(attempt + 1) : of(id))),
          );
        }),
      ),
    );
  const found$ = memory.record.before ? lost$ : of(undefined);
  return found$.pipe(
    concatMap((id) => (id === undefined ? made$(1) : of(id))),
    concatMap((id) =>
      concat(
        memory.write({ stage: 'filling', id, before: undefined, first: undefined }),
        // It says to others that the draft is somebody's. Without it, it works as well.
        api.rename(id, name).pipe(catchError(() => EMPTY)),
      ),
    ),
  );
}

/** An empty draft that nobody has named, and that was not there before: the one whose making had no answer. */
function ownDraft(all: readonly BatchSummary[], { record }: BatchMemory, name: string): string | undefined {
  const { before = [] } = record;
  const own = all.filter(
    (one) =>
      one.status === 'DRAFT' && one.requestTotal === 0 && (one.name ?? name) === name && !before.includes(one.id),
  );
  return own.length === 1 ? own[0]?.id : undefined;
}

function nameOf({ record: { fingerprint, number } }: BatchMemory): string {
  return `runpod-rx ${fingerprint.slice(0, 12)} ${number}`;
}
