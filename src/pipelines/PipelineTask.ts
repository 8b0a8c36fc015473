import { Subscription, type Observer, type SchedulerLike, type Unsubscribable } from 'rxjs';
import { jobError } from '../errors/jobError.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot, TerminalSnapshot } from '../types/JobSnapshot.js';
import type { FailedItem, PipelineItem } from './PipelineItem.js';
import type { Runner } from './Runner.js';
import { incomplete } from './runnerOf.js';

/** The pipeline, as its tasks see it. */
interface TaskHost<I extends object, O> {
  readonly scheduler: SchedulerLike;
  /** Whether the pipeline was unsubscribed from, or has ended. */
  readonly closed: boolean;
  taskCompleted(task: PipelineTask<I, O>, item: PipelineItem<I, O>): void;
  taskFailed(task: PipelineTask<I, O>, error: unknown): void;
}

/** Members that an error may have: the errors of this library name the job that they concern. */
interface ErrorDetails<O> {
  readonly snapshot?: JobSnapshot<O>;
  readonly jobId?: string;
  readonly ref?: JobRef;
}

/**
 * One input on its way through a pipeline. A pipeline may hold 100 000 tasks, so a task is a single object: it is itself
 * the observer of its job.
 */
export class PipelineTask<I extends object, O> implements Observer<JobSnapshot<O>> {
  readonly index: number;
  readonly request: JobRequest<I>;
  /** How many attempts have started. */
  attempts = 0;
  /** The result, once there is one. */
  item: PipelineItem<I, O> | undefined = undefined;
  /** Whether the runner had nothing to do for the input: there is no item. */
  skipped = false;
  /** The task behind this one in an `ItemQueue`. */
  nextTask: PipelineTask<I, O> | undefined = undefined;
  readonly #host: TaskHost<I, O>;
  readonly #runner: Runner<I, O>;
  /** The running job, or the pause before the next attempt. */
  #subscription: Unsubscribable | undefined = undefined;
  #snapshot: JobSnapshot<O> | undefined = undefined;
  /** The number of the last attempt that has ended. */
  #endedAttempt = 0;

  constructor(host: TaskHost<I, O>, index: number, request: JobRequest<I>, runner: Runner<I, O>) {
    this.#host = host;
    this.#runner = runner;
    this.index = index;
    this.request = request;
  }

  /** Starts the next attempt. Does nothing after a callback has ended the pipeline: a job costs money. */
  start(): void {
    if (this.#host.closed) return;
    this.attempts++;
    this.#snapshot = undefined;
    this.#subscription = undefined;
    const attempt = this.attempts;
    let subscription: Unsubscribable;
    try {
      subscription = this.#runner(this.request, this.index, attempt).subscribe(this);
    } catch (error) {
      this.error(error);
      return;
    }
    // The attempt may have ended during `subscribe`; `#subscription` may then belong to the next attempt already.
    if (this.#endedAttempt >= attempt) subscription.unsubscribe();
    else this.#subscription = subscription;
  }

  /** Starts the next attempt after a pause in milliseconds. */
  restartAfter(delay: number): void {
    if (this.#host.closed) return;
    const { attempts } = this;
    const pause = this.#host.scheduler.schedule(() => {
      this.start();
    }, delay);
    // Some schedulers run the action within `schedule`; `#subscription` then belongs to the new attempt.
    if (attempts === this.attempts) this.#subscription = pause;
  }

  /** Cancels the job or the pause. Nothing is reported to the host after that. */
  cancel(): void {
    this.#endedAttempt = Infinity;
    this.#subscription?.unsubscribe();
  }

  next(snapshot: JobSnapshot<O>): void {
    if (this.#attemptEnded) return;
    this.#snapshot = snapshot;
    if (!isTerminal(snapshot)) return;
    try {
      this.#endAttempt();
    } finally {
      // A teardown that throws does not lose the result, which was paid for.
      this.#report(snapshot);
    }
  }

  error(error: unknown): void {
    if (this.#attemptEnded) return;
    try {
      this.#endAttempt();
    } finally {
      this.#host.taskFailed(this, error);
    }
  }

  complete(): void {
    if (this.#attemptEnded) return;
    this.error(incomplete(this.#snapshot));
  }

  /** The item of this task where it fails with an error. */
  failedItem(error: unknown): FailedItem<I, O> {
    const { index, request, attempts } = this;
    const details = Object(error) as ErrorDetails<O>;
    const snapshot = details.snapshot ?? this.#snapshot;
    const jobId = details.jobId ?? snapshot?.id;
    return {
      ok: false,
      index,
      request,
      error,
      ...(snapshot && { snapshot }),
      ...(jobId !== undefined && { jobId }),
      ...(details.ref && { ref: details.ref }),
      attempts,
    };
  }

  get #attemptEnded(): boolean {
    return this.#endedAttempt >= this.attempts;
  }

  #endAttempt(): void {
    const subscription = this.#subscription;
    this.#endedAttempt = this.attempts;
    this.#subscription = undefined;
    subscription?.unsubscribe();
  }

  #report(snapshot: TerminalSnapshot<O>): void {
    const { index, request, attempts } = this;
    if (snapshot.status === 'COMPLETED')
      this.#host.taskCompleted(this, { ok: true, index, request, output: snapshot.output, snapshot, attempts });
    else this.#host.taskFailed(this, jobError(snapshot, { operation: 'status' }));
  }
}

/** A subscription that cancels tasks when it is unsubscribed from. It calls every teardown, also after one that throws. */
export function cancelling<I extends object, O>(tasks: Iterable<PipelineTask<I, O>>): Subscription {
  const jobs = new Subscription();
  for (const task of tasks) {
    jobs.add(() => {
      task.cancel();
    });
  }
  return jobs;
}
