import type { SchedulerLike, Subscriber } from 'rxjs';
import { AbortedError } from '../errors/AbortedError.js';
import { reportUnhandled } from '../errors/reportUnhandled.js';
import type { RunpodError } from '../errors/RunpodError.js';
import { SkippedError } from '../errors/SkippedError.js';
import type { JobRequest } from '../types/JobRequest.js';
import { durationScheduler } from '../time/clocks.js';
import { InputBuffer, type BufferLimit } from './InputBuffer.js';
import { ItemOutlet } from './ItemOutlet.js';
import { PipelineControls } from './PipelineControls.js';
import type { PipelineItem } from './PipelineItem.js';
import type { PipelineOptions } from './PipelineOptions.js';
import { PipelineProgress } from './PipelineProgress.js';
import { PipelineTask, cancelling } from './PipelineTask.js';
import { RetryPolicy } from './RetryPolicy.js';
import type { PipelineRunners } from './runnerOf.js';
import { storeItem, type Failure } from './storeItem.js';
import { closeQuietly, type InputSink, type InputSource, type OpenInputSource } from './inputs.js';

/**
 * Runs a job for each input, a limited number at a time.
 *
 * One loop, `advance`, takes one step after the other. An event that arrives during a step only changes the state, and a
 * later step acts on it. So a million jobs that end synchronously do not nest a million calls.
 *
 * An input becomes a task, waits in the buffer, runs, and waits in the outlet until its item is emitted. From its
 * start until then it takes a slot.
 */
export class Pipeline<I extends object, O> implements InputSink<JobRequest<I>> {
  readonly scheduler: SchedulerLike;
  readonly #runners: PipelineRunners<I, O>;
  readonly #options: PipelineOptions<I, O>;
  readonly #subscriber: Subscriber<PipelineItem<I, O>>;
  readonly #retryPolicy: RetryPolicy;
  readonly #progress: PipelineProgress | undefined;
  readonly #controls: PipelineControls;
  readonly #buffer: InputBuffer<I, O>;
  /** Tasks whose job runs, or that wait for their next attempt. */
  readonly #inFlight = new Set<PipelineTask<I, O>>();
  readonly #outlet: ItemOutlet<I, O>;
  #source: InputSource | undefined;
  #inputCount = 0;
  /** Tasks that have started and whose item was not emitted yet. */
  #takenSlots = 0;
  /** An input was asked for, and has not come yet. */
  #awaitingInput = false;
  /** The loop runs. */
  #advancing = false;
  /** There are no more inputs, or no more are wanted. */
  #inputsEnded = false;
  /** The pipeline errors with it when all tasks have ended. */
  #finalFailure: Failure | undefined;
  /** The pipeline errors with it as soon as the finished items are emitted. */
  #fatalFailure: Failure | undefined;
  #closed = false;

  constructor(
    runners: PipelineRunners<I, O>,
    options: PipelineOptions<I, O>,
    bufferLimit: BufferLimit | undefined,
    subscriber: Subscriber<PipelineItem<I, O>>,
  ) {
    const { totals } = options;
    this.#runners = runners;
    this.scheduler = durationScheduler(options.scheduler);
    this.#options = options;
    this.#subscriber = subscriber;
    this.#retryPolicy = new RetryPolicy(options.retry);
    this.#progress = totals && new PipelineProgress(totals, this.scheduler);
    this.#controls = new PipelineControls(this);
    this.#buffer = new InputBuffer(bufferLimit);
    this.#outlet = new ItemOutlet(options.order === 'input');
  }

  /** Whether the pipeline was unsubscribed from, or has ended. */
  get closed(): boolean {
    return this.#closed;
  }

  get accepting(): boolean {
    return !this.#closed && !this.#inputsEnded;
  }

  start(openSource: OpenInputSource<JobRequest<I>>): void {
    this.#controls.follow(this.#options);
    try {
      if (this.accepting) this.#source = openSource(this);
      // A synchronous source may have ended the inputs before it could be closed.
      if (!this.accepting) closeQuietly(this.#source);
    } catch (error) {
      this.fail(error);
    }
    this.#reportProgress();
    this.advance();
  }

  enqueue(request: JobRequest<I>): void {
    this.#awaitingInput = false;
    if (!this.accepting) return;
    this.#buffer.push(new PipelineTask(this, this.#inputCount, request, this.#runners.runnerOfInput()));
    this.#inputCount++;
    this.advance();
  }

  /** There are no more inputs. Tasks that wait are still run. */
  end(): void {
    this.#inputsEnded = true;
    this.advance();
  }

  /** There are no more inputs, because of an error. Tasks that wait are still run; then the pipeline errors. */
  fail(error: unknown): void {
    if (this.accepting) this.#finalFailure ??= { error };
    this.end();
  }

  taskCompleted(task: PipelineTask<I, O>, item: PipelineItem<I, O>): void {
    this.#commit(task, item);
    this.advance();
  }

  taskFailed(task: PipelineTask<I, O>, error: unknown): void {
    if (error instanceof SkippedError) this.#skip(task);
    else if (!this.#retry(task, error)) this.#commit(task, task.failedItem(error));
    this.advance();
  }

  /** Takes no more inputs, drops the tasks that wait, and errors when the tasks in flight have ended. */
  stop(error: unknown): void {
    this.#finalFailure ??= { error };
    this.#closeSource();
    for (const task of this.#buffer.drain())
      this.#drop(task, new AbortedError({ operation: 'run', accepted: 'no', cause: error }));
    this.advance();
  }

  /** Cancels the tasks in flight, and takes no more inputs. */
  close(): void {
    this.#closed = true;
    const inputsEnded = this.#inputsEnded;
    this.#inputsEnded = true;
    const jobs = cancelling(this.#inFlight);
    this.#inFlight.clear();
    this.#buffer.drain();
    this.#outlet.clear();
    jobs.add(() => {
      this.#controls.unsubscribe();
    });
    if (!inputsEnded) closeQuietly(this.#source);
    jobs.unsubscribe();
  }

  /** Takes steps until none is possible. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      let progressing = true;
      while (progressing && !this.#closed) progressing = this.#step();
    } catch (error) {
      // A callback of the options threw.
      this.#subscriber.error(error);
    }
    this.#advancing = false;
  }

  /** Takes the first possible step; `false` if none is. */
  #step(): boolean {
    if (this.#emitNext()) return true;
    if (this.#fatalFailure) {
      this.#subscriber.error(this.#fatalFailure.error);
      return false;
    }
    if (this.#startNext() || this.#dropOverflow() || this.#pull()) return true;
    this.#endIfDone();
    return false;
  }

  #emitNext(): boolean {
    const next = this.#outlet.next({ early: !!this.#fatalFailure });
    if (!next) return false;
    const { item } = next;
    if (next.takesSlot) this.#takenSlots--;
    const { deadLetters, onError } = this.#options;
    if (!item.ok && deadLetters) deadLetters.next(item);
    // With `throw`, the subscriber receives the error of a failed item, not the item.
    else if (item.ok || onError !== 'throw') this.#subscriber.next(item);
    return true;
  }

  /** Has a failed input submitted again, where the option `retry` says so. */
  #retry(task: PipelineTask<I, O>, error: unknown): boolean {
    try {
      const delay = this.#retryPolicy.delayAfter(error, task.attempts);
      if (delay === undefined) return false;
      this.#progress?.countRetry(task.failedItem(error));
      task.restartAfter(delay);
      this.#reportProgress();
      return true;
    } catch (thrown) {
      // A callback of the options threw. The item comes first: it names the job, which may run.
      this.#fatalFailure ??= { error: thrown };
      return !!task.item;
    }
  }

  #startNext(): boolean {
    const task = this.#controls.hasFreeSlot(this.#takenSlots) ? this.#buffer.shift() : undefined;
    if (!task) return false;
    this.#takenSlots++;
    this.#outlet.started(task);
    this.#inFlight.add(task);
    this.#reportProgress();
    task.start();
    return true;
  }

  #dropOverflow(): boolean {
    const dropped = this.#buffer.dropOverflow();
    if (!dropped) return false;
    this.#drop(dropped.task, dropped.error);
    if (dropped.endsInputs) {
      this.#finalFailure ??= { error: dropped.error };
      this.#closeSource();
    }
    return true;
  }

  #pull(): boolean {
    if (!this.#source?.pull || this.#awaitingInput || !this.accepting) return false;
    if (!this.#controls.hasFreeSlot(this.#takenSlots)) return false;
    this.#awaitingInput = true;
    try {
      this.#source.pull();
    } catch (error) {
      this.fail(error);
    }
    return true;
  }

  /** Completes or errors when all tasks have ended. */
  #endIfDone(): void {
    if (this.accepting || this.#takenSlots > 0 || this.#buffer.size > 0) return;
    if (this.#finalFailure) this.#subscriber.error(this.#finalFailure.error);
    else this.#subscriber.complete();
  }

  /** Has an item stored, and then gives it to its task. */
  #commit(task: PipelineTask<I, O>, item: PipelineItem<I, O>): void {
    storeItem(item, this.#options, this.#runners.run, (failure) => {
      if (!this.#closed) this.#finish(task, failure ? task.failedItem(failure.error) : item);
      else if (failure) reportUnhandled(failure.error);
      this.advance();
    });
  }

  /** The runner had nothing to do for the task. */
  #skip(task: PipelineTask<I, O>): void {
    this.#inFlight.delete(task);
    this.#takenSlots--;
    task.skipped = true;
    this.#progress?.countSkipped();
    this.#reportProgress();
  }

  /** The task has its item. */
  #finish(task: PipelineTask<I, O>, item: PipelineItem<I, O>): void {
    this.#inFlight.delete(task);
    task.item = item;
    this.#outlet.finished(task);
    this.#countItem(item);
  }

  /** The task gets a failed item without having started. */
  #drop(task: PipelineTask<I, O>, error: RunpodError): void {
    const item = task.failedItem(error);
    task.item = item;
    this.#outlet.dropped(task);
    this.#countItem(item);
  }

  /** Counts an item, and applies the option `onError` to a failed one. */
  #countItem(item: PipelineItem<I, O>): void {
    this.#progress?.countEnded(item);
    if (!item.ok && this.#options.onError === 'throw') this.#fatalFailure ??= { error: item.error };
    if (!item.ok && this.#options.onError === 'stop') this.stop(item.error);
    this.#reportProgress();
  }

  #closeSource(): void {
    const wasAccepting = this.accepting;
    this.#inputsEnded = true;
    if (wasAccepting) closeQuietly(this.#source);
  }

  #reportProgress(): void {
    if (!this.#progress || this.#closed) return;
    try {
      this.#progress.report({
        taken: this.#inputCount,
        waiting: this.#buffer.size,
        inFlight: this.#inFlight.size,
        total: this.#source?.total,
      });
    } catch (error) {
      this.#fatalFailure ??= { error };
    }
  }
}
