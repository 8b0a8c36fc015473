import {
  BehaviorSubject,
  EMPTY,
  Observable,
  catchError,
  combineLatest,
  concat,
  concatMap,
  defer,
  distinct,
  filter,
  finalize,
  ignoreElements,
  map,
  merge,
  of,
  retry,
  shareReplay,
  switchMap,
  take,
  tap,
  throwError,
} from 'rxjs';
import { DurableJob } from '../durable/DurableJob.js';
import type { DurableTerms } from '../durable/DurableTerms.js';
import type { JobRow } from '../durable/JobRow.js';
import { isNotAccepted, unsentRow } from '../durable/rowChanges.js';
import { isRunpodError, type Job, type JobRequest, type JobSnapshot, type TerminalSnapshot } from '../index.js';
import { eventually, type Eventually } from '../server/eventually.js';
import { JobLostError, QueueCancelError, RowChangedError, type QueueJobRow, type QueueRow } from './QueueRow.js';
import { QueueRowStore } from './QueueRowStore.js';

/**
 * What the queue, or the worker, wants of a delivery.
 *
 * - `cancel`: the job was cancelled in the queue.
 * - `release`: the worker shuts down. The job goes on, and another worker attaches to it.
 * - `lost`: the queue has given the job to another worker.
 */
export type DeliveryOrder = 'cancel' | 'release' | 'lost';

/** One delivery of a job by its queue to a worker. */
export interface Delivery<I extends object> {
  /** Names the job of the queue, for ever: 1 to 200 characters. */
  readonly key: string;
  readonly request: JobRequest<I>;
  readonly row: QueueRow;
  /** Names the attempt: the same for each delivery of it. */
  readonly attempt: string;
  /** Whether an end that a row holds belongs to this attempt, and is to be given again. An output is so in any attempt. */
  readonly isOfThisAttempt: (row: QueueJobRow) => boolean;
  readonly orders$: Observable<DeliveryOrder>;
  /** Stores a progress of the worker's. */
  readonly progress?: (value: unknown) => Eventually<unknown>;
}

/** What became of a delivery. `failed`: the job cannot be followed, or was not submitted. */
export type DeliveryOutcome<O> =
  | { readonly type: 'ended'; readonly snapshot: TerminalSnapshot<O> }
  | { readonly type: 'failed'; readonly error: unknown }
  | { readonly type: 'cancelled' | 'released' | 'lost' };

/** What all deliveries of a worker share. */
export type DeliveryTerms<I extends object, O, C> = Omit<
  DurableTerms<I, O, C>,
  'store' | 'alongside' | 'cancelEnds' | 'runAgain' | 'ended'
>;

/** How often a row that others change is read again. */
const MAX_READS = 5;

/** Follows the job of one delivery to its end, or until the delivery is over otherwise. */
export class JobDelivery<I extends object, O, C> {
  readonly #terms: DeliveryTerms<I, O, C>;
  readonly #delivery: Delivery<I>;
  readonly #store: QueueRowStore;
  readonly #stop = new AbortController();
  readonly #followed$ = new BehaviorSubject<Job<O, C> | undefined>(undefined);
  readonly #orders$: Observable<DeliveryOrder>;
  readonly #cancel$: Observable<unknown>;
  /** The job that was followed last. */
  #job: Job<O, C> | undefined;
  #isCancelled = false;

  constructor(terms: DeliveryTerms<I, O, C>, delivery: Delivery<I>) {
    const { attempt, row, orders$ } = delivery;
    this.#terms = terms;
    this.#delivery = delivery;
    this.#store = new QueueRowStore(row, { attempt, scheduler: terms.scheduler });
    // A heartbeat repeats what it finds, and the first order may come at once.
    this.#orders$ = orders$.pipe(distinct(), shareReplay({ refCount: true, bufferSize: Infinity }));
    this.#cancel$ = this.#orders$.pipe(
      filter((order) => order === 'cancel'),
      take(1),
      tap(() => {
        this.#isCancelled = true;
      }),
    );
  }

  /** Emits what became of the delivery, and completes. Never errors. Unsubscribing leaves the job as `release` does. */
  outcome(): Observable<DeliveryOutcome<O>> {
    return merge(this.#released(), this.#cancelledUnknown(), this.#end()).pipe(
      take(1),
      finalize(() => {
        this.#stop.abort();
      }),
    );
  }

  /** Follows the job. Completes without an outcome where the delivery is left. */
  #end(): Observable<DeliveryOutcome<O>> {
    const { key, request, isOfThisAttempt } = this.#delivery;
    const run = () =>
      new DurableJob<I, O, C>(
        {
          ...this.#terms,
          job: { ...this.#terms.job, onUnsubscribe: 'detach', signal: this.#stop.signal },
          store: this.#store,
          ended: 'again',
          // A job that has completed is paid: the queue, or what the user does with the output, has failed since.
          runAgain: (row) => !hasCompleted(row) && !isOfThisAttempt(row),
          cancelEnds: true,
          alongside: (job) => this.#alongside(job),
        },
        key,
        request,
      ).run({ isRetry: false });
    return defer(run).pipe(
      retry({
        count: MAX_READS,
        delay: (error: unknown) => (isCausedBy(error, RowChangedError) ? of(0) : throwError(() => error)),
      }),
      map((snapshot) => this.#outcomeOf(snapshot)),
      catchError((error: unknown) => this.#outcomeOfError(error)),
    );
  }

  #outcomeOf(snapshot: JobSnapshot<O>): DeliveryOutcome<O> {
    if (this.#isCancelled && snapshot.status === 'CANCELLED') return { type: 'cancelled' };
    // A durable job emits the end of a job, and nothing before.
    return { type: 'ended', snapshot: snapshot as TerminalSnapshot<O> };
  }

  #outcomeOfError(error: unknown): Observable<DeliveryOutcome<O>> {
    // At the closing of the client, the job goes on.
    if (isRunpodError(error, 'client_closed')) return concat(this.#settled(), of({ type: 'released' } as const));
    if (this.#stop.signal.aborted && isRunpodError(error, 'aborted')) return EMPTY;
    if (this.#isCancelled && isRunpodError(error, 'aborted')) return of({ type: 'cancelled' });
    if (isCausedBy(error, QueueCancelError)) return of({ type: 'cancelled' });
    if (isCausedBy(error, JobLostError)) return of({ type: 'lost' });
    return of({ type: 'failed', error });
  }

  /** What happens while the job is followed: a cancel, and reports of progress. */
  #alongside(job: Job<O, C>): Observable<unknown> {
    const { progress } = this.#delivery;
    const report = (value: unknown) => eventually(() => progress?.(value)).pipe(catchError(() => EMPTY));
    const cancelled$ = this.#cancel$.pipe(switchMap(() => job.cancel()));
    const reported$ = progress ? job.progress$.pipe(concatMap(report)) : EMPTY;
    return new Observable((subscriber) => {
      this.#job = job;
      this.#followed$.next(job);
      for (const work$ of [cancelled$, reported$]) subscriber.add(work$.subscribe({ error: () => undefined }));
      return () => {
        this.#followed$.next(undefined);
      };
    });
  }

  /** The delivery is over, and the job goes on. */
  #released(): Observable<DeliveryOutcome<O>> {
    return this.#orders$.pipe(
      filter((order) => order !== 'cancel'),
      take(1),
      concatMap((order) => (order === 'lost' ? of(order) : this.#afterRecord().pipe(map(() => order)))),
      concatMap((order) => {
        const settled$ = this.#followed$.value ? this.#settled() : EMPTY;
        // A submission that was not sent is withdrawn by that.
        this.#stop.abort();
        return concat(settled$, of<DeliveryOutcome<O>>({ type: order === 'lost' ? 'lost' : 'released' }));
      }),
    );
  }

  /**
   * Emits and completes unless the end of the job is being recorded, or given again: that comes first, since the queue must not
   * deliver the job after it.
   */
  #afterRecord(): Observable<unknown> {
    return combineLatest([this.#followed$, this.#store.row$]).pipe(
      filter(([job, row]) => !!job || (row?.state !== 'submitted' && row?.state !== 'ended')),
      take(1),
    );
  }

  /** Completes once a submission that was sent is answered, and its answer is recorded. */
  #settled(): Observable<never> {
    const unsent$ = defer(() => {
      const { row } = this.#store;
      return row?.state === 'sending' ? this.#store.put(unsentRow(row)) : EMPTY;
    });
    // That it is sent may be on its way to the row.
    const withdrawn$ = concat(this.#store.written(), unsent$);
    return defer(() => this.#job?.detach() ?? EMPTY).pipe(
      catchError((error: unknown) => (isNotAccepted(error) ? withdrawn$ : EMPTY)),
      catchError(() => EMPTY),
      ignoreElements(),
    );
  }

  /** A cancel of a job that was sent, and whose id is not known: there is nothing that could be cancelled. */
  #cancelledUnknown(): Observable<DeliveryOutcome<O>> {
    return combineLatest([this.#cancel$, this.#followed$, this.#store.row$]).pipe(
      filter(([, job, row]) => !job && row?.state === 'sending'),
      map(() => ({ type: 'cancelled' })),
    );
  }
}

function hasCompleted({ end }: JobRow): boolean {
  return !!end && 'job' in end && end.job.status === 'COMPLETED';
}

function isCausedBy(error: unknown, type: new (message: string) => Error): boolean {
  return error instanceof type || (error instanceof Error && error.cause instanceof type);
}
