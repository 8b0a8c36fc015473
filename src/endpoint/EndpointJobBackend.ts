import {
  Subscription,
  type Observable,
  type ObservableInput,
  type OperatorFunction,
  type SchedulerLike,
  type Unsubscribable,
} from 'rxjs';
import type { ErrorContext } from '../errors/RunpodError.js';
import { awaitHook } from '../errors/awaitHook.js';
import type { CallState } from '../http/CallState.js';
import type { Closeable } from '../http/ClientContext.js';
import type { CancelOutcome } from '../job/cancelUntilConfirmed.js';
import type { JobBackend, JobCancelOptions, JobWatchOptions, SubmissionCall } from '../job/JobBackend.js';
import type { JobOptions } from '../job/JobOptions.js';
import type { ReadTerms, WatchRequest } from '../polling/WatchRequest.js';
import { policyOf } from '../sources/PollPolicy.js';
import type { ReaderPosition } from '../sources/StreamCursor.js';
import type { StreamEvent } from '../sources/StreamEvent.js';
import type { CallOrigin } from '../types/Activity.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { checkOutput } from './checkOutput.js';
import type { EndpointView } from './EndpointView.js';
import { readHealth } from './readHealth.js';
import { readStream } from './readStream.js';
import { submitJob } from './submitJob.js';
import { watchJob } from './watchJob.js';

/** What one job needs of its endpoint, made of the endpoint's calls. */
export class EndpointJobBackend<I extends object, O, C> implements JobBackend {
  readonly tag: string | undefined;
  readonly #view: EndpointView<I, O, C>;
  readonly #options: Omit<JobOptions<object>, 'timeout'>;
  /** How the job is read, for all its views. */
  readonly #readTerms: ReadTerms;
  readonly #origin: CallOrigin | undefined;
  /** The last submission that was begun. */
  #submission: CallState | undefined;

  /**
   * @param tag - the caller's own name for the job
   * @param origin - the call that made the job
   */
  constructor(
    view: EndpointView<I, O, C>,
    options: JobOptions<object>,
    tag: string | undefined,
    origin: CallOrigin | undefined,
  ) {
    this.tag = tag;
    this.#view = view;
    // The timeout is the whole job's, and the job keeps it; it limits no single call.
    const { timeout: _timeout, ...callOptions } = options;
    this.#options = callOptions;
    this.#origin = origin;
    this.#readTerms = { options: callOptions, meta: { tag, origin } };
  }

  get scheduler(): SchedulerLike {
    return this.#view.context.client.settings.scheduler;
  }

  get endpointId(): string | undefined {
    return this.#view.context.id;
  }

  context(operation: string, jobId: string | undefined): ErrorContext {
    return this.#view.context.errorContext({ operation, jobId, tag: this.tag });
  }

  submit(request: JobRequest<object>, onStart: (call: SubmissionCall) => void): Observable<JobSnapshot> {
    const options = this.#options;
    return submitJob(this.#view, {
      operation: 'run',
      request: request as JobRequest<I>,
      options,
      meta: {
        tag: this.tag,
        origin: this.#origin,
        ownership: 'job',
        beforeSend: options.beforeSend && ((attempt) => this.#announce(request, attempt)),
        onStart: (state) => {
          this.#submission = state;
          onStart(state);
        },
      },
    });
  }

  /** Has the caller's `beforeSend` know that the submission is about to be sent. */
  #announce(request: JobRequest<object>, attempt: number): Observable<never> {
    const notSent = (): ErrorContext => ({ ...this.context('run', undefined), accepted: 'no' });
    // A hook that gives nothing has failed: nobody could wait for it.
    const call = () => this.#options.beforeSend?.(request, { attempt }) as ObservableInput<unknown>;
    return awaitHook({ hook: 'beforeSend' }, call, notSent, this.scheduler);
  }

  watch(id: string, { ref, onCompleted, endOnly }: JobWatchOptions): Observable<JobSnapshot> {
    const { context } = this.#view;
    context.jobs.restoreSubmission(id, ref?.submittedAt);
    const request = new JobWatchRequest(this.#readTerms, endOnly);
    return watchJob(context, id, request).pipe(this.checkOutput(onCompleted));
  }

  readSoon(id: string): void {
    // A pace of the caller's own is the same for all views.
    if (!policyOf(this.#options)) this.#view.context.jobs.hint(id);
  }

  read(id: string): Observable<JobSnapshot> {
    return this.#view.context.jobs.read(id, this.#readTerms);
  }

  snapshots(id: string): Observable<JobSnapshot> {
    return this.#view.context.jobs.snapshotsOf(id);
  }

  readStream(id: string, position: ReaderPosition, onJobOver: () => void): Observable<StreamEvent> {
    return readStream(this.#view, {
      id,
      options: this.#options,
      meta: { tag: this.tag, origin: this.#origin, ownership: 'job' },
      position,
      onJobOver,
    });
  }

  cancel(id: string, { urgent, onlyIfQueued }: JobCancelOptions): Observable<CancelOutcome> {
    return this.#view.context.canceller.cancel(id, { tag: this.tag, origin: this.#origin, urgent, onlyIfQueued });
  }

  watchHealth(): Observable<EndpointHealth> {
    const { context } = this.#view;
    return context.health.watch(() => readHealth(context));
  }

  checkOutput(onCompleted?: () => void): OperatorFunction<JobSnapshot, JobSnapshot> {
    const { context, options } = this.#view;
    return checkOutput(context, options.output, onCompleted);
  }

  refresh(id: string): void {
    this.#view.context.jobs.refresh(id);
  }

  wallNow(): number {
    return this.#view.context.client.settings.wallNow();
  }

  submittedAt({ id, submittedAt }: JobRef): number | undefined {
    return this.#view.context.jobs.submittedAt(id, submittedAt);
  }

  submissionDate(id: string): number | undefined {
    return this.#view.context.jobs.get(id)?.submissionDate;
  }

  hasGap(id: string): boolean {
    return this.#view.context.jobs.hasGap(id);
  }

  reportLost(error: unknown): void {
    if (this.#submission) this.#view.context.reportLost({ operation: 'run', tag: this.tag }, this.#submission, error);
  }

  reportDetached(id: string): void {
    this.#view.context.reportDetached(id, this.tag);
  }

  trackPendingCancel(): Unsubscribable {
    return this.#view.context.client.pendingCancels.track();
  }

  onClosing(listener: (makeError: (context: ErrorContext) => Error) => void): Unsubscribable {
    const { closeables } = this.#view.context.client;
    const closeable: Closeable = {
      close: (makeError) => {
        // A job that was taken off the list while others were told of the closing is not told any more.
        if (closeables.delete(closeable)) listener(makeError);
      },
    };
    closeables.add(closeable);
    return new Subscription(() => closeables.delete(closeable));
  }
}

/** How a job is watched whose views come and go. A class, since an object with a getter takes three times the memory. */
class JobWatchRequest implements WatchRequest {
  readonly options: ReadTerms['options'];
  readonly meta: ReadTerms['meta'];
  readonly #endOnly: () => boolean;

  constructor({ options, meta }: ReadTerms, endOnly: () => boolean) {
    this.options = options;
    this.meta = meta;
    this.#endOnly = endOnly;
  }

  get endOnly(): boolean {
    return this.#endOnly();
  }
}
