import { NEVER, of, type Subscriber, type Unsubscribable } from 'rxjs';
import { readError } from '../errors/readError.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import { withDetails } from '../errors/withDetails.js';
import type { CallMeta } from '../http/ApiCall.js';
import type { Closeable } from '../http/ClientContext.js';
import { linkSubscription } from '../polling/linkSubscription.js';
import type { SnapshotObserver, WatchRequest } from '../polling/WatchRequest.js';
import { RUN_TO_END, SYNC } from '../protocol/callChecks.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { CallOrigin } from '../types/Activity.js';
import type { SyncOptions } from '../types/callOptions.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { checkOutput } from './checkOutput.js';
import type { EndpointView } from './EndpointView.js';
import { submitJob } from './submitJob.js';
import { withTimeoutAndSignal } from './withTimeoutAndSignal.js';

/**
 * One subscription to `runToEnd` or `runSync`: submits a job, then watches it until it is over.
 *
 * A pipeline may have a hundred thousand of them, so this one object is everything that a job needs while it runs: the
 * request to watch it, the observer of its snapshots, the teardown, and what the client tells of its closing.
 */
export class RunToEndSubscription<I extends object, O, C>
  implements WatchRequest, SnapshotObserver, Closeable, Unsubscribable
{
  readonly options: SyncOptions;
  /** For `WatchRequest`: what the reads are made for. */
  readonly meta: CallMeta | undefined;
  /** For `WatchRequest`: the job is read when it has probably ended, or by held reads. */
  readonly endOnly = true;
  readonly #view: EndpointView<I, O, C>;
  readonly #operation: 'run' | 'runsync';
  readonly #subscriber: Subscriber<JobSnapshot<O>>;
  #watcher: Unsubscribable | undefined;
  /** The id while the job is to be cancelled on unsubscribing: nobody else knows this job. Empty otherwise. */
  #id = '';

  constructor(
    view: EndpointView<I, O, C>,
    operation: 'run' | 'runsync',
    options: SyncOptions,
    subscriber: Subscriber<JobSnapshot<O>>,
    origin: CallOrigin | undefined,
  ) {
    this.meta = origin && { origin };
    this.#view = view;
    this.#operation = operation;
    this.options = options;
    this.#subscriber = subscriber;
  }

  /** Submits the job; watches it once the answer has come. */
  submit(request: JobRequest<I>): void {
    const { options } = this;
    const subscriber = this.#subscriber;
    const operation = this.#operation;
    const { wait } = Object(options) as SyncOptions;
    const { client } = this.#view.context;
    const checks = operation === 'run' ? RUN_TO_END : SYNC;
    const startedAt = client.now();
    let answer: JobSnapshot | undefined;
    const submission$ = () =>
      submitJob(this.#view, { operation, request, options, wait, checks, ...(this.meta && { meta: this.meta }) });
    linkSubscription(subscriber, submission$).subscribe({
      next: (snapshot) => {
        if (!isTerminal(snapshot)) this.#id = snapshot.id;
        answer = snapshot;
        subscriber.next(snapshot);
      },
      error: (error: unknown) => {
        subscriber.error(error);
      },
      complete: () => {
        if (this.#id) this.#watch(client.now() - startedAt, answer);
        else subscriber.complete();
      },
    });
  }

  /** For `SnapshotObserver`. */
  add(watcher: Unsubscribable): void {
    this.#watcher = watcher;
  }

  /** For `SnapshotObserver`. */
  next(snapshot: JobSnapshot): void {
    if (!isTerminal(snapshot)) {
      this.#subscriber.next(snapshot);
      return;
    }
    this.#id = '';
    const { context, options } = this.#view;
    of(snapshot).pipe(checkOutput(context, options.output)).subscribe(this.#subscriber);
  }

  /** For `SnapshotObserver`: reading has failed for too long. The job goes on, so the error holds its reference. */
  error(error: unknown): void {
    // The subscriber left while this read was made. Its job is to be cancelled.
    if (this.#subscriber.closed) return;
    const { context } = this.#view;
    const id = this.#id;
    const ref = { v: 1, endpointId: context.id as string, id } as const;
    const failure = readError(error, context.errorContext({ operation: 'status', jobId: id }));
    this.#id = '';
    context.reportDetached(id, undefined);
    // To subscribe again would submit a second job.
    this.#subscriber.error(withDetails(failure, { ref, jobId: id, accepted: 'unknown', retryable: false }));
  }

  /** For `SnapshotObserver`. The terminal snapshot completes the subscriber, once its output is checked. */
  complete(): void {
    return;
  }

  /** For `Closeable`. */
  close(makeError: (context: ErrorContext) => Error): void {
    this.#subscriber.error(makeError(this.#errorContext()));
  }

  /** The teardown: the subscriber left, or the job is over. */
  unsubscribe(): void {
    const { context } = this.#view;
    context.client.closeables.delete(this);
    this.#watcher?.unsubscribe();
    if (this.#id) void context.canceller.cancel(this.#id, { origin: this.meta?.origin });
  }

  /**
   * @param elapsed - how long the submission took, in milliseconds
   * @param answer - the answer to the submission
   */
  #watch(elapsed: number, answer: JobSnapshot | undefined): void {
    const subscriber = this.#subscriber;
    const { client, jobs } = this.#view.context;
    client.closeables.add(this);
    const { timeout, signal } = this.options;
    if (timeout !== undefined || signal) {
      const remainingTime = timeout && Math.max(0, timeout - elapsed);
      const ended$ = NEVER.pipe(
        withTimeoutAndSignal<JobSnapshot<O>>(
          { timeout: remainingTime, signal },
          { context: () => this.#errorContext(), scheduler: client.settings.scheduler },
        ),
      );
      ended$.subscribe(subscriber);
    }
    // An aborted signal, or a timeout that is over, has ended the subscription by now.
    if (!subscriber.closed) jobs.watch(this.#id, this, this, answer);
  }

  #errorContext(): ErrorContext {
    const names = { operation: this.#operation, jobId: this.#id };
    return { ...this.#view.context.errorContext(names), accepted: 'unknown' };
  }
}
