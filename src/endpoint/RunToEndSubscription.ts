import { NEVER, of, type Observable, type Subscriber, type Unsubscribable } from 'rxjs';
import { RunpodError, type ErrorContext } from '../errors/RunpodError.js';
import { withDetails } from '../errors/withDetails.js';
import { checkWait, checkWatch } from '../protocol/checks.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { SyncOptions } from '../types/callOptions.js';
import type { Closeable } from '../http/ClientContext.js';
import type { EndpointCalls } from './EndpointCalls.js';
import type { SnapshotObserver, WatchRequest } from '../polling/StatusPoller.js';
import { linkSubscription } from '../polling/linkSubscription.js';
import { withTimeoutAndSignal } from './withTimeoutAndSignal.js';

/**
 * One job that is submitted and read until it is over. There may be a hundred thousand of them, so it is all that each
 * one keeps: it says how it is read, hears what is read, is its own teardown, and what the client tells of its closing.
 */
export class RunToEndSubscription<I extends object, O, C>
  implements WatchRequest, SnapshotObserver, Closeable, Unsubscribable
{
  readonly #calls: EndpointCalls<I, O, C>;
  readonly #operation: 'run' | 'runsync';
  readonly options: SyncOptions;
  readonly #subscriber: Subscriber<JobSnapshot<O>>;
  #watcher: Unsubscribable | undefined;
  /** Of a job that is to be cancelled when it is left: nobody else knows it. */
  #id = '';

  constructor(
    calls: EndpointCalls<I, O, C>,
    operation: 'run' | 'runsync',
    options: SyncOptions,
    subscriber: Subscriber<JobSnapshot<O>>,
  ) {
    this.#calls = calls;
    this.#operation = operation;
    this.options = options;
    this.#subscriber = subscriber;
  }

  get endOnly(): boolean {
    return this.#operation === 'run';
  }

  readJob(wait?: number): Observable<JobSnapshot> {
    return this.#calls.fetch(this.#id, this.options, undefined, wait);
  }

  /** Submits the job, then reads it. */
  begin(request: JobRequest<I>): void {
    const [subscriber, options] = [this.#subscriber, this.options];
    const { wait } = options;
    const issues = [...checkWait(wait), ...checkWatch(options)];
    const { client } = this.#calls.state;
    const began = client.now();
    let seen: JobSnapshot | undefined;
    linkSubscription(subscriber, () => this.#calls.submit(this.#operation, request, options, wait, issues)).subscribe({
      next: (snapshot) => {
        if (!isTerminal(snapshot)) this.#id = snapshot.id;
        seen = snapshot;
        subscriber.next(snapshot);
      },
      error: (error: unknown) => {
        subscriber.error(error);
      },
      complete: () => {
        if (this.#id) this.#read(client.now() - began, seen);
        else subscriber.complete();
      },
    });
  }

  add(watcher: Unsubscribable): void {
    this.#watcher = watcher;
  }

  next(snapshot: JobSnapshot): void {
    if (!isTerminal(snapshot)) {
      this.#subscriber.next(snapshot);
      return;
    }
    this.#id = '';
    of(snapshot).pipe(this.#calls.checked()).subscribe(this.#subscriber);
  }

  error(failure: unknown): void {
    // It was left while this was read at once, and is to be cancelled.
    if (this.#subscriber.closed) return;
    // An error of reading is no leaving, but who gets one without the id has lost the job. To call again would be to
    // submit another.
    if (failure instanceof RunpodError && failure.jobId) {
      const ref = { v: 1, endpointId: this.#calls.state.id as string, id: this.#id } as const;
      failure = withDetails(failure as RunpodError, { ref, accepted: 'unknown', retryable: false });
      this.#id = '';
    }
    this.#subscriber.error(failure);
  }

  complete(): void {
    // What ends it is the terminal snapshot, once its output is checked.
  }

  closing(error: (context: ErrorContext) => Error): void {
    this.#subscriber.error(error(this.#context()));
  }

  /** It was left, or is over. */
  unsubscribe(): void {
    const { state } = this.#calls;
    state.client.closeables.delete(this);
    this.#watcher?.unsubscribe();
    if (this.#id) void state.cancelAbandoned(this.#id);
  }

  #read(elapsed: number, seen: JobSnapshot | undefined): void {
    const [subscriber, options] = [this.#subscriber, this.options];
    const { client, jobs } = this.#calls.state;
    client.closeables.add(this);
    if (options.timeout !== undefined || options.signal) {
      const timeout = options.timeout && Math.max(0, options.timeout - elapsed);
      const limited = withTimeoutAndSignal<JobSnapshot<O>>(
        { ...options, timeout },
        () => this.#context(),
        client.settings.scheduler,
        false,
      );
      limited(NEVER).subscribe(subscriber);
    }
    // It may have been left by now.
    if (!subscriber.closed) jobs.watch(this.#id, this, this, this.endOnly ? seen : undefined);
  }

  #context(): ErrorContext {
    return {
      ...this.#calls.state.context({ operation: this.#operation, jobId: this.#id }),
      accepted: 'unknown',
    };
  }
}
