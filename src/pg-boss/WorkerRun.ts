import {
  AsyncSubject,
  EMPTY,
  ReplaySubject,
  Subject,
  catchError,
  concat,
  concatMap,
  defer,
  exhaustMap,
  filter,
  finalize,
  ignoreElements,
  merge,
  of,
  repeat,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import type { PendingRecords } from '../durable/PendingRecords.js';
import { rowOfJson } from '../durable/rowJson.js';
import { isRunpodError } from '../index.js';
import type { DeliveryTerms } from '../queues/JobDelivery.js';
import { patiently } from '../queues/patiently.js';
import { eventually } from '../server/eventually.js';
import type { BossJob } from './Boss.js';
import { bossDelivery, type BossEvent } from './BossDelivery.js';
import type { BossTable, DeletedJob } from './BossTable.js';
import type { WorkerOptions } from './WorkerOptions.js';

/** A worker from its start to its stop: it takes jobs while it has room, and follows each. */
export class WorkerRun<I extends object, O, C> {
  readonly #terms: DeliveryTerms<I, O, C>;
  readonly #options: WorkerOptions<I>;
  readonly #table: BossTable;
  readonly #pending: PendingRecords;
  readonly #events$ = new Subject<BossEvent<I, O>>();
  readonly #released$ = new ReplaySubject<unknown>(1);
  readonly #freed$ = new Subject<unknown>();
  #free: number;
  /** Whether the queue had as many jobs as were asked for: there may be more. */
  #hasMore = false;

  constructor(
    terms: DeliveryTerms<I, O, C>,
    options: WorkerOptions<I>,
    { table, pending }: { readonly table: BossTable; readonly pending: PendingRecords },
  ) {
    this.#terms = terms;
    this.#options = options;
    this.#table = table;
    this.#pending = pending;
    this.#free = options.concurrency ?? 10;
  }

  /** Emits what became of each job. Unsubscribing stops the worker: its jobs are given back, which `pending` counts. */
  events(): Observable<BossEvent<I, O>> {
    const opened$ = eventually(() => this.#table.open()).pipe(patiently(this.#terms.scheduler), ignoreElements());
    const taken$ = merge(this.#take(), this.#sweep()).pipe(takeUntil(this.#released$));
    return merge(this.#events$, concat(opened$, taken$)).pipe(
      finalize(() => {
        this.#released$.next(undefined);
      }),
    );
  }

  /** Takes jobs from the queue: when there is room, and there may be some. */
  #take(): Observable<never> {
    const { pollInterval = 2_000 } = this.#options;
    const { scheduler } = this.#terms;
    const take$ = defer(() => {
      const wanted = this.#free;
      if (wanted <= 0) return EMPTY;
      const fetched$ = eventually(() => this.#table.fetch(wanted)).pipe(
        tap((jobs) => {
          this.#hasMore = jobs.length === wanted;
          for (const job of jobs) this.#start(job);
        }),
        catchError(() => {
          this.#hasMore = false;
          return EMPTY;
        }),
      );
      return this.#toItsEnd(fetched$);
    });
    const room$ = defer(() => (this.#free > 0 ? of(undefined) : this.#freed$.pipe(take(1))));
    const later$ = timer(pollInterval, scheduler).pipe(concatMap(() => room$));
    return take$.pipe(repeat({ delay: () => (this.#hasMore ? room$ : later$) }), ignoreElements());
  }

  /** Sees to the jobs of workers that are dead: they are given back, or followed where the queue does not deliver them again. */
  #sweep(): Observable<never> {
    const { lease = 60_000 } = this.#options;
    const swept = async () => {
      await this.#table.returnDead(lease);
      const claimId = crypto.randomUUID();
      for (const job of await this.#table.claimDead(claimId, lease)) this.#follow(job, claimId);
      for (const job of await this.#table.claimDeleted(claimId, lease)) this.#cancel(job, claimId);
    };
    return timer(0, lease / 2, this.#terms.scheduler).pipe(
      exhaustMap(() => this.#toItsEnd(eventually(swept).pipe(catchError(() => EMPTY)))),
      ignoreElements(),
    );
  }

  /** Goes on when the worker is stopped: jobs that come then are given back. */
  #toItsEnd(work$: Observable<unknown>): Observable<unknown> {
    const done$ = new AsyncSubject<unknown>();
    this.#pending.track(done$);
    work$.subscribe(done$);
    return done$;
  }

  /** Follows a job that was fetched, if it is still this worker's. */
  #start(job: BossJob): void {
    const claimId = crypto.randomUUID();
    const claimed$ = eventually(() => this.#table.claim(job, claimId)).pipe(patiently(this.#terms.scheduler));
    this.#run(
      claimed$.pipe(
        filter(Boolean),
        concatMap(() => this.#deliver(job, claimId)),
      ),
    );
  }

  #follow(job: BossJob, claimId: string): void {
    this.#run(this.#deliver(job, claimId));
  }

  /** Cancels a job that was deleted: nobody can have its result. Where that fails, it is tried again after the lease. */
  #cancel({ id, data }: DeletedJob, claimId: string): void {
    const { ref = '' } = rowOfJson(data);
    const cancelled$ = defer(() => this.#terms.endpoint.attach(ref).cancel()).pipe(
      catchError((error: unknown) => (isGone(error) ? EMPTY : throwError(() => error))),
      ignoreElements(),
    );
    const forgotten$ = eventually(() => this.#table.forget(id, claimId, 'submitted'));
    this.#pending.track(concat(cancelled$, forgotten$));
  }

  #deliver(job: BossJob, claimId: string): Observable<BossEvent<I, O>> {
    const shared = { terms: this.#terms, options: this.#options, table: this.#table, released$: this.#released$ };
    // The queue holds what the endpoint takes, or its schema refuses it.
    return bossDelivery(shared, job as BossJob<I>, claimId);
  }

  /** Goes on when the worker is stopped, until the job is given back. */
  #run(delivery$: Observable<BossEvent<I, O>>): void {
    this.#free--;
    const run$ = delivery$.pipe(
      tap((event) => {
        // Where the worker was not stopped, its client is closed: it would take the job again and again.
        if (event.type === 'released') this.#released$.next(undefined);
        this.#events$.next(event);
      }),
      finalize(() => {
        this.#free++;
        this.#freed$.next(undefined);
      }),
    );
    this.#pending.track(run$);
  }
}

/** Whether the service does not know a job any more. */
function isGone(error: unknown): boolean {
  return isRunpodError(error, 'job_expired') || isRunpodError(error, 'job_not_found');
}
