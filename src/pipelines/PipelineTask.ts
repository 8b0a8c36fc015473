import type { Observer, SchedulerLike, Unsubscribable } from 'rxjs';
import { jobError } from '../errors/jobError.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { FailedItem, PipelineItem, Runner } from '../types/pipelines.js';
import { incomplete } from './runnerOf.js';

/** What is done with a job as it goes on. */
interface TaskHost<I extends object, O> {
  readonly runner: Runner<I, O>;
  readonly scheduler: SchedulerLike;
  /** Nobody waits for its jobs any more. */
  readonly left: boolean;
  completed(flight: PipelineTask<I, O>, item: PipelineItem<I, O>): void;
  failed(flight: PipelineTask<I, O>, error: unknown): void;
}

/** One input on its way through a pipeline. There may be a hundred thousand of them, so it is all that each one needs. */
export class PipelineTask<I extends object, O> implements Observer<JobSnapshot<O>> {
  readonly index: number;
  readonly request: JobRequest<I>;
  attempts = 0;
  /** What became of it. */
  item: PipelineItem<I, O> | undefined = undefined;
  /** The one that was begun after it, where the order counts. */
  younger: PipelineTask<I, O> | undefined = undefined;
  readonly #ground: TaskHost<I, O>;
  /** What it waits for: its job, or the next attempt. */
  #subscription: Unsubscribable | undefined = undefined;
  #snapshot: JobSnapshot<O> | undefined = undefined;
  /** The last attempt that has ended. */
  #ended = 0;

  constructor(ground: TaskHost<I, O>, index: number, request: JobRequest<I>) {
    this.#ground = ground;
    this.index = index;
    this.request = request;
  }

  begin(): void {
    this.attempts++;
    this.#snapshot = undefined;
    this.#subscription = undefined;
    const attempt = this.attempts;
    let subscription: Unsubscribable;
    try {
      subscription = this.#ground.runner(this.request, this.index).subscribe(this);
    } catch (error) {
      this.error(error);
      return;
    }
    // It may have ended while it was subscribed to, and wait for its next attempt by now.
    if (this.#ended >= attempt || this.#ground.left) subscription.unsubscribe();
    else this.#subscription = subscription;
  }

  /** Begins again after a while. */
  later(delay: number): void {
    const { attempts } = this;
    const waiting = this.#ground.scheduler.schedule(() => {
      this.begin();
    }, delay);
    // A scheduler may act at once.
    if (attempts === this.attempts) this.#subscription = waiting;
  }

  leave(): void {
    this.#ended = Infinity;
    this.#subscription?.unsubscribe();
  }

  next(snapshot: JobSnapshot<O>): void {
    if (this.#over) return;
    this.#snapshot = snapshot;
    if (!isTerminal(snapshot)) return;
    this.#end();
    const { index, request, attempts } = this;
    if (snapshot.status === 'COMPLETED')
      this.#ground.completed(this, { ok: true, index, request, output: snapshot.output, snapshot, attempts });
    else this.#ground.failed(this, jobError(snapshot, { operation: 'status' }));
  }

  error(error: unknown): void {
    if (this.#over) return;
    this.#end();
    this.#ground.failed(this, error);
  }

  complete(): void {
    if (this.#over) return;
    this.error(incomplete(this.#snapshot));
  }

  /** What is said of it when it failed. */
  failure(error: unknown): FailedItem<I, O> {
    const { index, request, attempts } = this;
    const said = Object(error) as { snapshot?: JobSnapshot<O>; jobId?: string; ref?: JobRef };
    const { snapshot = this.#snapshot, ref } = said;
    const { jobId = snapshot?.id } = said;
    return {
      ok: false,
      index,
      request,
      error,
      ...(snapshot && { snapshot }),
      ...(jobId !== undefined && { jobId }),
      ...(ref && { ref }),
      attempts,
    };
  }

  get #over(): boolean {
    return this.#ended >= this.attempts;
  }

  #end(): void {
    this.#ended = this.attempts;
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }
}
