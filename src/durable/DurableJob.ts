import {
  EMPTY,
  Observable,
  catchError,
  concat,
  concatMap,
  defaultIfEmpty,
  defer,
  map,
  of,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import {
  ConfigurationError,
  HookError,
  SkippedError,
  SubmissionUnknownError,
  isRunpodError,
  isTerminal,
  type ErrorContext,
  type Job,
  type JobOptions,
  type JobRequest,
  type JobSnapshot,
  type TerminalSnapshot,
} from '../index.js';
import { eventually } from '../server/eventually.js';
import { awaitWebhook } from './awaitWebhook.js';
import type { DurableTerms } from './DurableTerms.js';
import { fingerprint } from './fingerprint.js';
import { newRow, nextGeneration, type JobRow } from './JobRow.js';
import { endAfter, endedRow, errorOfEnd, isNotAccepted, newWebhookKey, unsentRow } from './rowChanges.js';
import { RowWriter } from './RowWriter.js';
import { storeTimeout } from './storeTimeout.js';

/** How often an ambiguous job is submitted again: a service whose answers are all lost would be paid for job after job. */
const MAX_RESUBMISSIONS = 3;

/** How much longer each pause before that is, in milliseconds. The first is none. */
const RESUBMISSION_PAUSE = 5_000;

/** How long an error waits until it is recorded, in milliseconds: the store may be what has failed. */
const RECORD_TIME = 5_000;

/** One input on its way: what its row says decides. */
export class DurableJob<I extends object, O, C> {
  readonly #terms: DurableTerms<I, O, C>;
  readonly #key: string;
  readonly #request: JobRequest<I>;
  /** How often an ambiguous job was submitted again. */
  #resubmissions = 0;

  constructor(terms: DurableTerms<I, O, C>, key: string, request: JobRequest<I>) {
    this.#terms = terms;
    this.#key = key;
    this.#request = request;
  }

  /** @param isRetry - whether the pipeline gives the input again, because its job has failed */
  run({ isRetry }: { readonly isRetry: boolean }): Observable<JobSnapshot<O>> {
    const { store, endpoint, pending } = this.#terms;
    const found$ = defer(() => {
      const { input } = Object(this.#request) as Partial<JobRequest<I>>;
      const print = this.#printOf(input);
      return eventually(() => store.get(this.#key)).pipe(
        storeTimeout(this.#terms.scheduler),
        catchError((error: unknown) => throwError(() => this.#storeFailed(error, { accepted: 'no' }))),
        concatMap((found) => {
          const row = found ?? newRow(this.#key, print);
          if (row.fingerprint === print) return this.#next(new RowWriter(store, row), isRetry);
          const message = `the key ${this.#key} belongs to another input of endpoint ${endpoint.id ?? '?'}, or of another one`;
          throw new ConfigurationError(message, this.#context({ accepted: 'no' }));
        }),
      );
    });
    // The row says what there is only once the job before it, which was left, is recorded.
    return concat(pending.settledOf(this.#key), found$);
  }

  #printOf(input: unknown): string {
    try {
      return fingerprint(this.#terms.endpoint.id ?? '', input);
    } catch (cause) {
      throw new ConfigurationError('JSON cannot carry the input', this.#context({ accepted: 'no', cause }));
    }
  }

  #next(writer: RowWriter, isRetry: boolean): Observable<JobSnapshot<O>> {
    const { row } = writer;
    switch (row.state) {
      case 'wanted':
        return this.#submit(writer);
      case 'sending':
        return this.#resolve(writer);
      case 'submitted':
        return this.#attach(writer);
      case 'ended':
        return isRetry || this.#terms.runAgain?.(row) ? this.#submitNext(writer) : this.#giveAgain(row);
    }
  }

  /** Gives the end of a job again that the store has. */
  #giveAgain({ end, committed, ref }: JobRow): Observable<JobSnapshot<O>> {
    const { endpoint, ended } = this.#terms;
    const context = this.#context({ jobId: ref?.id });
    if (committed && ended === 'skip')
      return throwError(() => new SkippedError(`the result of ${this.#key} was committed before`, context));
    if (end && 'job' in end) return endpoint.snapshotOf(end.job);
    return throwError(() => errorOfEnd(end, context));
  }

  /** Submits the next job of a key. */
  #submitNext(writer: RowWriter): Observable<JobSnapshot<O>> {
    return concat(
      this.#write(writer, nextGeneration, { accepted: 'no' }),
      defer(() => this.#submit(writer)),
    );
  }

  #submit(writer: RowWriter): Observable<JobSnapshot<O>> {
    const { endpoint, job: options = {}, webhooks, wallNow } = this.#terms;
    const webhookKey = webhooks && newWebhookKey(writer.row);
    const beforeSubmit: JobOptions<I>['beforeSubmit'] = (request) =>
      defer(() => options.beforeSubmit?.(request) ?? of(request)).pipe(
        map((given) => (webhookKey ? webhooks.sign(given, webhookKey) : given)),
      );
    const job = this.#make(() =>
      endpoint.job(this.#request, {
        ...this.#jobOptions(writer),
        beforeSubmit,
        beforeSend: () =>
          writer.write((row) => ({ ...row, state: 'sending', sentAt: wallNow(), ...(webhookKey && { webhookKey }) })),
        afterSubmit: (ref) => writer.write((row) => ({ ...row, state: 'submitted', ref })),
      }),
    );
    return this.#follow(job, writer);
  }

  #attach(writer: RowWriter): Observable<JobSnapshot<O>> {
    const { endpoint } = this.#terms;
    const { ref } = writer.row;
    const job = this.#make(() => endpoint.attach(ref ?? '', this.#jobOptions(writer)));
    return this.#follow(job, writer);
  }

  #make(job: () => Job<O, C>): Job<O, C> {
    const { onBehalf } = this.#terms;
    return onBehalf ? onBehalf(job) : job();
  }

  #jobOptions(writer: RowWriter): JobOptions<I> {
    const { job: { beforeSubmit: _beforeSubmit, ...options } = {}, cancelEnds } = this.#terms;
    const markLeaving = (row: JobRow): JobRow => (row.state === 'submitted' ? { ...row, leaving: true } : row);
    const beforeCancel = cancelEnds ? undefined : () => writer.write(markLeaving);
    return { tag: this.#key, onUnsubscribe: 'cancel', ...options, beforeCancel };
  }

  /** Follows a job to its end, and records it. A job that is left is cancelled, and that is recorded, too. */
  #follow(job: Job<O, C>, writer: RowWriter): Observable<JobSnapshot<O>> {
    const end$ = new Observable<TerminalSnapshot<O>>((subscriber) => {
      let over = false;
      const alongside = this.#terms.alongside?.(job).subscribe({ error: () => undefined });
      const view = job.end$.subscribe({
        next: (snapshot) => {
          over = true;
          subscriber.next(snapshot);
        },
        error: (error: unknown) => {
          // At the closing of the client, or by its signal, the job is released, as it is by unsubscribing.
          over = !(isRunpodError(error, 'client_closed') || isRunpodError(error, 'aborted'));
          // It goes on, and the next start attaches to it: the client's closing is not to cancel it.
          if (over && isRunpodError(error) && error.ref) this.#detach(job, writer);
          subscriber.error(error);
        },
        complete: () => {
          subscriber.complete();
        },
      });
      return () => {
        const { departure, job: { onUnsubscribe } = {} } = this.#terms;
        // What was not sent yet is withdrawn.
        const detaches = (departure.detaches || onUnsubscribe === 'detach') && writer.row.state !== 'wanted';
        if (!over && detaches) this.#detach(job, writer);
        view.unsubscribe();
        alongside?.unsubscribe();
        if (!over && !detaches) this.#leave(job, writer);
      };
    });
    return end$.pipe(
      map((snapshot) => () => this.#end(snapshot, writer)),
      // What follows an end has its own errors.
      catchError((error: unknown) => of(() => this.#fail(error, writer))),
      concatMap((proceed) => proceed()),
    );
  }

  /** Has a job go on, once its id is recorded, or that it was refused. */
  #detach(job: Job<O, C>, writer: RowWriter): void {
    const recorded$ = job.detach().pipe(catchError((error: unknown) => writer.writeRefusal(error)));
    this.#terms.pending.track(recorded$, this.#key);
  }

  /** Cancels a job, and records what became of it. */
  #leave(job: Job<O, C>, writer: RowWriter): void {
    const recorded$ = job.cancel().pipe(
      concatMap((snapshot) => {
        if (!isTerminal(snapshot)) return EMPTY;
        return writer.write((row) => (snapshot.status === 'CANCELLED' ? nextGeneration(row) : endedRow(row, snapshot)));
      }),
      catchError((error: unknown) => writer.writeRefusal(error)),
    );
    this.#terms.pending.track(recorded$, this.#key);
  }

  /** The job is over. */
  #end(snapshot: TerminalSnapshot<O>, writer: RowWriter): Observable<JobSnapshot<O>> {
    // This side has cancelled it, in a process before this one.
    if (snapshot.status === 'CANCELLED' && writer.row.leaving) return this.#submitNext(writer);
    const { id: jobId } = snapshot;
    return concat(
      this.#write(writer, (row) => endedRow(row, snapshot), { jobId }, snapshot),
      of(snapshot),
    );
  }

  /** The job was not submitted, or cannot be followed any more. */
  #fail(error: unknown, writer: RowWriter): Observable<JobSnapshot<O>> {
    if (isRunpodError(error, 'submission_unknown')) return this.#resolve(writer);
    const change = isNotAccepted(error) ? unsentRow : endAfter(error);
    if (!change) return throwError(() => error);
    const written$ = writer.write(change);
    this.#terms.pending.track(written$, this.#key);
    // Where the store fails as well, the row says less than is known, and the error is the more important one.
    const recorded$ = written$.pipe(
      timeout({ first: RECORD_TIME, scheduler: this.#terms.scheduler }),
      catchError(() => EMPTY),
    );
    return concat(
      recorded$,
      throwError(() => error),
    );
  }

  /** Finds the job of a row that was sent and has no id, or does what is asked where that cannot be found. */
  #resolve(writer: RowWriter): Observable<JobSnapshot<O>> {
    const { ambiguous, webhooks, grace, scheduler, wallNow, endpoint } = this.#terms;
    const { sentAt = 0, webhookKey } = writer.row;
    const ms = ambiguous === 'fail' ? 0 : grace - Math.max(0, wallNow() - sentAt);
    const id$ = webhooks && webhookKey !== undefined ? awaitWebhook(webhooks, webhookKey, { ms, scheduler }) : EMPTY;
    return id$.pipe(
      catchError((error: unknown) => throwError(() => this.#storeFailed(error, { accepted: 'unknown' }))),
      defaultIfEmpty(undefined),
      concatMap((id) => {
        if (id !== undefined) {
          const ref = { v: 1, endpointId: endpoint.id ?? '', id, submittedAt: sentAt, tag: this.#key } as const;
          return concat(
            this.#write(writer, (last) => ({ ...last, state: 'submitted', ref }), { jobId: id, accepted: 'unknown' }),
            defer(() => this.#attach(writer)),
          );
        }
        if (ambiguous === 'resubmit' && this.#resubmissions < MAX_RESUBMISSIONS) {
          const pause = this.#resubmissions++ * RESUBMISSION_PAUSE;
          return timer(pause, scheduler).pipe(concatMap(() => this.#submitNext(writer)));
        }
        const message = `the job of ${this.#key} was sent, and its answer was lost: it may have been accepted`;
        return throwError(() => new SubmissionUnknownError(message, this.#context({ accepted: 'unknown' })));
      }),
    );
  }

  /** Writes a change. Errors where the store fails. */
  #write(
    writer: RowWriter,
    change: (row: JobRow) => JobRow,
    at: Partial<ErrorContext>,
    snapshot?: JobSnapshot,
  ): Observable<never> {
    return writer.write(change).pipe(
      storeTimeout(this.#terms.scheduler),
      catchError((error: unknown) => throwError(() => this.#storeFailed(error, at, snapshot))),
    );
  }

  #storeFailed(cause: unknown, at: Partial<ErrorContext>, snapshot?: JobSnapshot): HookError {
    const words = cause instanceof Error ? cause.message : String(cause);
    return new HookError(`the store failed: ${words}`, this.#context({ ...at, cause }), { hook: 'store', snapshot });
  }

  #context(more: Partial<ErrorContext>): ErrorContext {
    return { operation: 'run', endpointId: this.#terms.endpoint.id, tag: this.#key, ...more };
  }
}
