import { AsyncSubject, Observable, observeOn, type Subscriber } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import { jobError } from '../errors/jobError.js';
import { jobProgress } from '../operators/jobProgress.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { Diagnosis } from '../types/Diagnosis.js';
import type { JobEvent } from '../types/JobEvent.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobSnapshot, TerminalSnapshot } from '../types/JobSnapshot.js';
import { diagnoseJob } from './diagnoseJob.js';
import type { JobController } from './JobController.js';
import { isOver, isSubmitting, type Viewer, type ViewerRole } from './jobReducer.js';

/** Where `util.inspect` of Node, and of Bun and Deno, finds a text to print in place of an object. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * One job's whole life, from its submission to its output, seen through any number of views.
 *
 * ```ts
 * const job = endpoint.job({ input: { prompt: 'a lighthouse' } });
 * job.output$.subscribe((output) => console.log(output));
 * ```
 *
 * The job is submitted when a view, or `id$`, is first subscribed to, and at most once, whatever its subscribers do. All
 * subscribers share one poll and one reader of the stream, and get the latest events when they come late. Nothing is
 * read while there are no subscribers.
 *
 * `events$`, `state$`, `progress$`, `chunks$`, `output$` and `end$` own the job together. When the last of their subscribers
 * unsubscribes and the job is not known to be over, the job is released: cancelled on the server, unless the option
 * `onUnsubscribe` says otherwise. An error of reading does not release the job: the error holds the job's reference as
 * `ref`, and the next subscription goes on with the same job.
 *
 * A job is not a promise: `await job` gives the job itself, and submits nothing. `await result(job)` gives its output.
 */
export class Job<O = unknown, C = unknown> {
  readonly #controller: JobController;
  // Each view is made when it is first asked for, and is the same from then on.
  #id$: Observable<string> | undefined;
  #events$: Observable<JobEvent<O, C>> | undefined;
  #state$: Observable<JobSnapshot<O>> | undefined;
  #progress$: Observable<unknown> | undefined;
  #chunks$: Observable<C> | undefined;
  #output$: Observable<O> | undefined;
  #end$: Observable<TerminalSnapshot<O>> | undefined;
  #diagnosis$: Observable<Diagnosis> | undefined;

  /** @internal */
  constructor(controller: JobController) {
    this.#controller = controller;
  }

  /**
   * Emits the job's id, then completes. Subscribing starts the job, and does not own it: once the id was emitted,
   * unsubscribing has no effect on the job. Unsubscribing before that releases the job, unless the job has other
   * subscribers.
   */
  get id$(): Observable<string> {
    return (this.#id$ ??= this.#view('id-viewer', (event, subscriber) => {
      if (event.type !== 'submitted') return;
      subscriber.next(event.id);
      subscriber.complete();
    }));
  }

  /**
   * Emits all that happens to the job; completes after `ended`. A job that failed is data here. Reads the stream with
   * `stream: true`. Unsubscribing releases the job, unless another owning view is subscribed to.
   */
  get events$(): Observable<JobEvent<O, C>> {
    const role = this.#controller.options.stream ? 'chunk-viewer' : 'viewer';
    return (this.#events$ ??= this.#view(role, (event, subscriber) => {
      subscriber.next(event);
    }));
  }

  /**
   * Emits the job's snapshots, the latest one first; completes after the terminal one, whatever its status.
   * Unsubscribing releases the job, unless another owning view is subscribed to.
   */
  get state$(): Observable<JobSnapshot<O>> {
    return (this.#state$ ??= this.#view('viewer', (event, subscriber) => {
      if (event.type === 'state') subscriber.next(event.snapshot);
    }));
  }

  /**
   * Emits the worker's progress updates, the latest one first; completes when the job is over. Unsubscribing acts as on
   * `state$`.
   */
  get progress$(): Observable<unknown> {
    return (this.#progress$ ??= this.state$.pipe(jobProgress()));
  }

  /**
   * Emits the chunks of the job's stream, beginning with those that are kept; completes when the job completed. Where the
   * job ended otherwise, its chunks come first, then its error. Unsubscribing acts as on `state$`.
   */
  get chunks$(): Observable<C> {
    return (this.#chunks$ ??= this.#view('chunk-viewer', (event, subscriber) => {
      if (event.type === 'chunk') subscriber.next(event.chunk);
      else if (event.type === 'ended' && event.snapshot.status !== 'COMPLETED')
        subscriber.error(jobError(event.snapshot, this.#controller.context('stream')));
    }));
  }

  /**
   * Emits the job's output and completes, or errors with what the job ended with. Unsubscribing acts as on `state$`.
   */
  get output$(): Observable<O> {
    return (this.#output$ ??= this.#view('end-viewer', (event, subscriber) => {
      if (event.type !== 'ended') return;
      if (event.snapshot.status === 'COMPLETED') subscriber.next(event.snapshot.output);
      else subscriber.error(jobError(event.snapshot, this.#controller.context('status')));
    }));
  }

  /**
   * Emits the job's terminal snapshot, whatever its status, and completes. As on `output$`, nothing but the end is of
   * interest, so the service may hold the reads. Unsubscribing acts as on `state$`.
   */
  get end$(): Observable<TerminalSnapshot<O>> {
    return (this.#end$ ??= this.#view('end-viewer', (event, subscriber) => {
      if (event.type === 'ended') subscriber.next(event.snapshot);
    }));
  }

  /**
   * Emits why the job is waiting: its state together with the endpoint's counts of workers and jobs, which are read once
   * for all subscribers. Emits when the reason changes, and completes after `ended`. Subscribing neither starts the job
   * nor owns it: nothing is emitted until the job has an id, and unsubscribing has no effect on the job.
   */
  get diagnosis$(): Observable<Diagnosis> {
    return (this.#diagnosis$ ??= diagnoseJob(this.#controller));
  }

  /**
   * Cancels the job, whatever `onUnsubscribe` says. Acts at the call; the Observable emits the service's answer, or the
   * job's last snapshot where the job ended first, and completes. Calling it again sends nothing new while a cancel is on
   * its way. The views go on to the job's end. A job that was not sent yet is never sent: its views, and the Observable,
   * error with `AbortedError`. Unsubscribing from the Observable does not take the cancel back.
   */
  cancel(): Observable<JobSnapshot<O>> {
    const controller = this.#controller;
    const report$ = new AsyncSubject<JobSnapshot<O>>();
    controller
      .waitFor((result) => {
        const { snapshot, error } = controller.state;
        // `running` is the outcome of a conditional cancel. The unconditional one follows it.
        const settled = result?.outcome === 'running' ? undefined : result;
        const last = snapshot && isTerminal(snapshot) ? snapshot : settled?.snapshot;
        const failure = error ?? settled?.error ?? (settled && controller.aborted());
        // Nothing says that it is an `Error`: it may come from the caller's `beforeSubmit`.
        if (!last && failure !== undefined) throw failure as Error;
        // Of the type that the caller says.
        return last as JobSnapshot<O> | undefined;
      })
      .subscribe(report$);
    controller.dispatch({ type: 'cancel', error: controller.aborted() });
    return report$.pipe(observeOn(controller.scheduler));
  }

  /**
   * Gives the job up without touching it on the server. Acts at the call: every view completes, and from then on
   * unsubscribing cancels nothing. The Observable emits the reference that `attach` takes, here or in another process,
   * once there is an id, and completes. A job that was never subscribed to has no id: the Observable then errors with
   * `ConfigurationError`.
   */
  detach(): Observable<JobRef> {
    const controller = this.#controller;
    controller.dispatch({ type: 'detach' });
    return controller.waitFor(() => {
      const { ref, state } = controller;
      if (state.recording === 'pending') return undefined;
      if (ref || isSubmitting(state)) return ref;
      const message = 'the job was not submitted: there is nothing to attach to';
      // Nothing says that it is an `Error`: it may come from the caller's `beforeSubmit`.
      throw (state.error as Error | undefined) ?? new ConfigurationError(message, controller.context('run'));
    });
  }

  /** @internal What errors say about this job. */
  errorContext(operation: string): ErrorContext {
    return this.#controller.context(operation);
  }

  /** @internal What `console.log(job)` prints on Node, Bun and Deno: which job it is, its last known status, and how to get the output. */
  [INSPECT](): string {
    const { backend, state } = this.#controller;
    const { id } = state;
    const unread = id === undefined ? 'not submitted yet' : 'not read yet';
    const known = state.snapshot?.status ?? (isSubmitting(state) ? 'being submitted' : unread);
    const name = JSON.stringify([backend.endpointId, id].filter(Boolean).join('/'));
    return `Job ${name} (${known}): subscribe to output$, or await result(job)`;
  }

  /**
   * A view of the job's events.
   *
   * @param show - turns an event into what the view emits
   */
  #view<T>(role: ViewerRole, show: (event: JobEvent<O, C>, subscriber: Subscriber<T>) => void): Observable<T> {
    const controller = this.#controller;
    const { scheduler } = controller;
    return new Observable<T>((subscriber) => {
      let notified = false;
      const viewer: Viewer = {
        role,
        notify: ({ events, error, complete }) => {
          if (subscriber.closed) return;
          for (const event of events) {
            notified ||= event.type === 'ended';
            // Of the types that the caller says.
            show(event as JobEvent<O, C>, subscriber);
          }
          if (error !== undefined) {
            const fail = () => {
              notified = true;
              subscriber.error(error);
            };
            // A bare `retry()` would call itself without end if the error came synchronously.
            subscriber.add(scheduler.schedule(fail));
          } else if (complete) {
            notified = true;
            subscriber.complete();
          }
        },
      };
      const join = () => {
        controller.dispatch({ type: 'join', viewer });
        subscriber.add(() => {
          controller.dispatch({ type: 'leave', viewer, notified });
        });
      };
      // Here, too, an error must not come synchronously: `chunks$` and `output$` make one of the terminal snapshot.
      const { state } = controller;
      const mayError = isOver(state) && state.snapshot?.status !== 'COMPLETED';
      if (mayError) subscriber.add(scheduler.schedule(join));
      else join();
    });
  }
}
