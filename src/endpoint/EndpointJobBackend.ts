import { Subscription, type Observable, type OperatorFunction, type SchedulerLike, type Unsubscribable } from 'rxjs';
import type { ErrorContext } from '../errors/RunpodError.js';
import type { Closeable } from '../http/ClientContext.js';
import type { CancelOutcome } from '../job/cancelUntilConfirmed.js';
import type { JobBackend, JobCancelOptions, SubmissionCall } from '../job/JobBackend.js';
import type { JobOptions } from '../job/JobOptions.js';
import type { ReaderPosition } from '../sources/StreamCursor.js';
import type { StreamEvent } from '../sources/streamChunks.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { EndpointCalls } from './EndpointCalls.js';

/** What one job needs of its endpoint, made of the endpoint's calls. */
export class EndpointJobBackend<I extends object, O, C> implements JobBackend {
  readonly tag: string | undefined;
  readonly #calls: EndpointCalls<I, O, C>;
  readonly #options: Omit<JobOptions<object>, 'timeout'>;
  readonly #callMeta: { readonly tag: string | undefined; readonly ownership: 'job' };

  /** @param tag - the caller's own name for the job */
  constructor(calls: EndpointCalls<I, O, C>, options: JobOptions<object>, tag: string | undefined) {
    this.tag = tag;
    this.#calls = calls;
    // The timeout is the whole job's, and the job keeps it; it limits no single call.
    const { timeout: _timeout, ...callOptions } = options;
    this.#options = callOptions;
    this.#callMeta = { tag, ownership: 'job' };
  }

  get scheduler(): SchedulerLike {
    return this.#calls.state.client.settings.scheduler;
  }

  get endpointId(): string | undefined {
    return this.#calls.state.id;
  }

  context(operation: string, jobId: string | undefined): ErrorContext {
    return this.#calls.state.context({ operation, jobId, tag: this.tag });
  }

  submit(request: JobRequest<object>, onStart: (call: SubmissionCall) => void): Observable<JobSnapshot> {
    const callMeta = { ...this.#callMeta, onStart };
    return this.#calls.submit('run', request as JobRequest<I>, this.#options, undefined, [], callMeta);
  }

  watch(id: string): Observable<JobSnapshot> {
    return this.#calls.poll(id, this.#options, this.#callMeta);
  }

  read(id: string): Observable<JobSnapshot> {
    return this.#calls.state.jobs.read(id, () => this.#calls.fetch(id, this.#options, this.#callMeta));
  }

  snapshots(id: string): Observable<JobSnapshot> {
    return this.#calls.state.jobs.snapshotsOf(id);
  }

  readStream(id: string, position: ReaderPosition, onJobOver: () => void): Observable<StreamEvent> {
    return this.#calls.chunks(id, this.#options, this.#callMeta, position, onJobOver);
  }

  cancel(id: string, { urgent, onlyIfQueued }: JobCancelOptions): Observable<CancelOutcome> {
    return this.#calls.state.cancelAbandoned(id, { tag: this.tag, urgent, ifQueued: onlyIfQueued });
  }

  watchHealth(): Observable<EndpointHealth> {
    return this.#calls.state.watchHealth(() => this.#calls.health(), {});
  }

  checkOutput(onCompleted?: () => void): OperatorFunction<JobSnapshot, JobSnapshot> {
    return this.#calls.checked(onCompleted);
  }

  refresh(id: string): void {
    this.#calls.state.jobs.refresh(id);
  }

  submittedAt(id: string): number | undefined {
    return this.#calls.state.jobs.get(id)?.submittedAt;
  }

  restoreSubmittedAt(id: string, submittedAt: number | undefined): void {
    this.#calls.state.jobs.restoreSubmittedAt(id, submittedAt);
  }

  hasGap(id: string): boolean {
    return this.#calls.state.jobs.hasGap(id);
  }

  trackPendingCancel(): Unsubscribable {
    return this.#calls.state.client.pendingCancels.track();
  }

  onClosing(listener: (error: (context: ErrorContext) => Error) => void): Unsubscribable {
    const { closeables } = this.#calls.state.client;
    const closeable: Closeable = {
      closing: (error) => {
        // A job that was taken off the list while others were told of the closing is not told any more.
        if (closeables.delete(closeable)) listener(error);
      },
    };
    closeables.add(closeable);
    return new Subscription(() => closeables.delete(closeable));
  }
}
