import { EMPTY, catchError, concatMap, defer, exhaustMap, filter, map, merge, of, timer, type Observable } from 'rxjs';
import { jobOutput, type JobRequest } from '../index.js';
import { isFinalFailure } from '../queues/isFinalFailure.js';
import { JobDelivery, type DeliveryOrder, type DeliveryOutcome, type DeliveryTerms } from '../queues/JobDelivery.js';
import { isRefusal, patiently } from '../queues/patiently.js';
import { queueKey } from '../queues/queueKey.js';
import { eventually } from '../server/eventually.js';
import type { BossJob } from './Boss.js';
import type { BossTable } from './BossTable.js';
import type { WorkerOptions } from './WorkerOptions.js';

/**
 * What became of a job that a worker had. `released`: the worker was stopped, or its client closed, and `lost`: it did not
 * show for a while; another worker goes on with the job.
 */
export type BossEvent<I extends object = Record<string, unknown>, O = unknown> =
  | { readonly type: 'completed'; readonly job: BossJob<I>; readonly output: O }
  | { readonly type: 'failed'; readonly job: BossJob<I>; readonly error: unknown }
  | { readonly type: 'cancelled' | 'released' | 'lost'; readonly job: BossJob<I> };

/** What the deliveries of a worker share. */
export interface BossDeliveryTerms<I extends object, O, C> {
  readonly terms: DeliveryTerms<I, O, C>;
  readonly options: WorkerOptions<I>;
  readonly table: BossTable;
  /** Emits when the worker is stopped. */
  readonly released$: Observable<unknown>;
}

/**
 * Follows a job that the delivery owns, and tells pg-boss how it has ended. Emits what became of it once pg-boss knows, and
 * completes; errors where pg-boss cannot be told.
 */
export function bossDelivery<I extends object, O, C>(
  { terms, options, table, released$ }: BossDeliveryTerms<I, O, C>,
  job: BossJob<I>,
  claimId: string,
): Observable<BossEvent<I, O>> {
  const { request = toRequest, heartbeat = 5_000 } = options;
  const { scheduler } = terms;
  const { id, name, retryCount, createdOn } = job;
  const beats$ = timer(0, heartbeat, scheduler).pipe(
    // The database may be away for a while.
    exhaustMap(() => eventually(() => table.beat(id, claimId)).pipe(catchError(() => EMPTY))),
    filter((standing) => standing !== 'owned'),
  );
  const release$ = released$.pipe(map((): DeliveryOrder => 'release'));
  const attempt = String(retryCount);
  const delivery$ = defer(() =>
    new JobDelivery<I, O, C>(terms, {
      // An id may come again, once the job is archived or deleted.
      key: queueKey(name, id, String(createdOn.getTime())),
      request: request(job),
      row: table.row(id, claimId),
      attempt,
      isOfThisAttempt: (row) => row.attempt === attempt,
      orders$: merge(release$, beats$),
    }).outcome(),
  );
  return delivery$.pipe(
    catchError((error: unknown) => of<DeliveryOutcome<O>>({ type: 'failed', error })),
    concatMap((outcome) => eventOf(outcome, job)),
    concatMap((event) => eventually(() => tell(table, claimId, event)).pipe(patiently(scheduler))),
  );
}

function eventOf<I extends object, O>(outcome: DeliveryOutcome<O>, job: BossJob<I>): Observable<BossEvent<I, O>> {
  if (outcome.type === 'failed') return of({ ...outcome, job });
  if (outcome.type !== 'ended') return of({ type: outcome.type, job });
  return of(outcome.snapshot).pipe(
    jobOutput<O>(),
    map((output): BossEvent<I, O> => ({ type: 'completed', job, output })),
    catchError((error: unknown) => of<BossEvent<I, O>>({ type: 'failed', job, error })),
  );
}

/** Tells pg-boss what became of a job. It knows of a cancel already. Gives what became of it in the end. */
async function tell<I extends object, O>(
  table: BossTable,
  claimId: string,
  event: BossEvent<I, O>,
): Promise<BossEvent<I, O>> {
  const { job } = event;
  const { id } = job;
  if (event.type === 'completed') return (await complete(table, id, event.output)) ? event : { type: 'lost', job };
  // Where the job is resumed, it is run again.
  if (event.type === 'cancelled') await table.forget(id, claimId, 'ended');
  else if (event.type === 'released') await table.giveBack(id, claimId);
  else if (event.type === 'failed') {
    // Another worker may follow the job with more success. Nobody takes it within a lease from here.
    if ((await table.beat(id, claimId)) === 'lost') return { type: 'lost', job };
    await table.fail(id, plainError(event.error), isFinalFailure(event.error));
  }
  return event;
}

async function complete(table: BossTable, id: string, output: unknown): Promise<boolean> {
  try {
    return await table.complete(id, output);
  } catch (error) {
    if (!isRefusal(error) && isJson(output)) throw error;
    // Postgres cannot store every text as JSON, and an endpoint's own parser makes bigints. The row has the output all the same.
    await table.fail(id, plainError(error), true);
    return true;
  }
}

function isJson(output: unknown): boolean {
  try {
    JSON.stringify(output);
    return true;
  } catch {
    return false;
  }
}

/** What pg-boss keeps of an error, as texts that Postgres can store as JSON. */
function plainError(error: unknown): object {
  const { name, message = String(error), code, jobId, stack } = Object(error) as Partial<Record<string, unknown>>;
  const storable = (value: unknown) => (typeof value === 'string' ? value.replace(/\p{Cs}|\0/gu, '\ufffd') : undefined);
  return {
    name: storable(name),
    message: storable(message),
    code: storable(code),
    jobId: storable(jobId),
    stack: storable(stack),
  };
}

function toRequest<I extends object>({ data }: BossJob<I>): JobRequest<I> {
  return { input: data };
}
