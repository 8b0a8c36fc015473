import { AsyncSubject, Observable, observeOn, type Subscriber } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { jobError } from '../errors/jobError.js';
import { jobProgress } from '../operators/jobProgress.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { Diagnosis } from '../types/Diagnosis.js';
import type { JobEvent } from '../types/JobEvent.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobSnapshot, TerminalSnapshot } from '../types/JobSnapshot.js';
import type { JobController } from './JobController.js';
import { isEnded, isOver, type ViewerRole, type Viewer } from './jobReducer.js';

/**
 * One job's whole life, from its submission to its output, seen through as many views as one likes.
 *
 * ```ts
 * const job = endpoint.job({ input: { prompt: 'a lighthouse' } });
 * job.output$.subscribe((output) => console.log(output));
 * ```
 *
 * It is submitted when a view, or `id$`, is first subscribed to, and at most once, whatever its subscribers do. All of
 * them share one poll and one reader of the stream, get the latest when they come late, and nothing is read while nobody
 * looks.
 *
 * `events$`, `state$`, `progress$`, `chunks$` and `output$` own the job together: when the last subscriber of all of
 * them leaves and the job is not known to be over, it is left, and cancelled on the server (`onUnsubscribe`). An error of
 * reading is no leaving: it holds the job's reference as `ref`, and the next subscription goes on with the same job.
 */
export class Job<O = unknown, C = unknown> {
  readonly #life: JobController;
  // Made when first asked for, and the same from then on.
  #id$: Observable<string> | undefined;
  #events$: Observable<JobEvent<O, C>> | undefined;
  #state$: Observable<JobSnapshot<O>> | undefined;
  #progress$: Observable<unknown> | undefined;
  #chunks$: Observable<C> | undefined;
  #output$: Observable<O> | undefined;
  #diagnosis$: Observable<Diagnosis> | undefined;

  /** @internal */
  constructor(life: JobController) {
    this.#life = life;
  }

  /**
   * The job's id, then completes. Starts the job and does not own it: whoever has the id may leave. One who leaves
   * before there is an id leaves the job, where nobody else looks at it.
   */
  get id$(): Observable<string> {
    return (this.#id$ ??= this.#view('starter', (event, subscriber) => {
      if (event.type !== 'submitted') return;
      subscriber.next(event.id);
      subscriber.complete();
    }));
  }

  /**
   * All that happens; completes after `ended`. A job that failed is data here. Reads the stream with `stream: true`.
   * Unsubscribing leaves the job, where no other view is subscribed to.
   */
  get events$(): Observable<JobEvent<O, C>> {
    return (this.#events$ ??= this.#view(this.#life.options.stream ? 'reader' : 'owner', (event, subscriber) => {
      subscriber.next(event);
    }));
  }

  /**
   * The job's snapshots, the latest one first, until the terminal one, whatever it is. Unsubscribing leaves the job,
   * where no other view is subscribed to.
   */
  get state$(): Observable<JobSnapshot<O>> {
    return (this.#state$ ??= this.#view('owner', (event, subscriber) => {
      if (event.type === 'state') subscriber.next(event.snapshot);
    }));
  }

  /** The worker's progress updates, the latest one first; completes when the job is over. Leaving it is as of `state$`. */
  get progress$(): Observable<unknown> {
    return (this.#progress$ ??= this.state$.pipe(jobProgress()));
  }

  /**
   * The chunks of the job's stream, those that are kept first. Of a job that ended otherwise than completed they come
   * before its error. Leaving it is as of `state$`.
   */
  get chunks$(): Observable<C> {
    return (this.#chunks$ ??= this.#view('reader', (event, subscriber) => {
      if (event.type === 'chunk') subscriber.next(event.chunk);
      else if (event.type === 'ended' && event.snapshot.status !== 'COMPLETED')
        subscriber.error(jobError(event.snapshot, this.#life.context('stream')));
    }));
  }

  /** The job's output: one value, or the error it ended with. Leaving it is as of `state$`. */
  get output$(): Observable<O> {
    return (this.#output$ ??= this.#view('owner', (event, subscriber) => {
      if (event.type !== 'ended') return;
      if (event.snapshot.status === 'COMPLETED') subscriber.next(event.snapshot.output);
      else subscriber.error(jobError(event.snapshot, this.#life.context('status')));
    }));
  }

  /**
   * Why the job is waiting: its state joined with the endpoint's counts of workers and jobs, which are read once for all
   * who ask. Emits when it changes, and completes after `ended`. Neither starts the job nor owns it: it begins when there
   * is an id, and unsubscribing does nothing to the job.
   */
  get diagnosis$(): Observable<Diagnosis> {
    return (this.#diagnosis$ ??= this.#life.diagnosis());
  }

  /**
   * Cancels the job, whatever `onUnsubscribe` says. Acts at the call; the Observable reports the service's answer, or
   * the job's end where that came first, and completes. Calling it again sends nothing new while a cancel is on its way.
   * The views go on to the job's end. A job that was not sent yet never is: its views, and the report, error with
   * `AbortedError`. Unsubscribing from the report changes nothing.
   */
  cancel(): Observable<JobSnapshot<O>> {
    const life = this.#life;
    const report$ = new AsyncSubject<JobSnapshot<O>>();
    life
      .until((settled) => {
        const { snapshot, error } = life.state;
        // What a conditional cancel found is no answer to this one, which comes after it.
        const answer = settled?.outcome === 'running' ? undefined : settled;
        const last = snapshot && isTerminal(snapshot) ? snapshot : answer?.snapshot;
        const why = error ?? answer?.error ?? (answer && life.aborted());
        // Whatever it is.
        if (!last && why !== undefined) throw why as Error;
        return last as JobSnapshot<O> | undefined;
      })
      .subscribe(report$);
    life.dispatch({ type: 'cancel', error: life.aborted() });
    return report$.pipe(observeOn(life.scheduler));
  }

  /**
   * Lets go of the job without touching it on the server. Acts at the call: every view completes, and from then on
   * leaving cancels nothing. The Observable emits the reference that `attach` takes, here or in another process, once
   * there is an id, and completes. A job that nobody subscribed to yet has none, which is a `ConfigurationError`.
   */
  detach(): Observable<JobRef> {
    const life = this.#life;
    life.dispatch({ type: 'detach' });
    return life.until(() => {
      const { ref, state } = life;
      if (ref || state.submitting) return ref;
      const words = 'the job was not submitted: there is nothing to attach to';
      // Whatever it is.
      throw (state.error as Error | undefined) ?? new ConfigurationError(words, life.context('run'));
    });
  }

  /** What is to be seen of the events of the job, from the latest on, by one who looks at it in a role. */
  #view<T>(role: ViewerRole, see: (event: JobEvent<O, C>, subscriber: Subscriber<T>) => void): Observable<T> {
    const life = this.#life;
    const { scheduler } = life;
    return new Observable<T>((subscriber) => {
      let told = false;
      const viewer: Viewer = {
        role,
        tell: (events, error, done) => {
          if (subscriber.closed) return;
          for (const event of events) see(event as JobEvent<O, C>, subscriber);
          const { state } = life;
          if (error !== undefined) {
            // Not at once: a bare retry() would call itself for ever.
            subscriber.add(
              scheduler.schedule(() => {
                told = true;
                subscriber.error(error);
              }),
            );
          } else if (done || isEnded(state, role)) {
            told = true;
            if (!done) see({ type: 'ended', snapshot: state.snapshot as TerminalSnapshot<O> }, subscriber);
            subscriber.complete();
          }
        },
      };
      const begin = () => {
        life.dispatch({ type: 'join', viewer });
        subscriber.add(() => {
          life.dispatch({ type: 'leave', viewer, told });
        });
      };
      // A failure does not come at once here either, since the views make it of a snapshot.
      if (isOver(life.state) && life.state.snapshot?.status !== 'COMPLETED') subscriber.add(scheduler.schedule(begin));
      else begin();
    });
  }
}
