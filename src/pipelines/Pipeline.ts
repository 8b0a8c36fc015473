import { Subscription, asyncScheduler, type Observable, type SchedulerLike, type Subscriber } from 'rxjs';
import { AbortedError } from '../errors/AbortedError.js';
import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { RunpodError } from '../errors/RunpodError.js';
import { MAX_TIMER } from '../protocol/limits.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { PipelineItem, Runner } from '../types/pipelines.js';
import { PipelineTask } from './PipelineTask.js';
import type { PipelineOptions, RetryItemOptions } from './PipelineOptions.js';
import { PipelineProgress } from './PipelineProgress.js';
import type { InputSource, InputSink, OpenInputSource } from './inputs.js';
import { retryAfterMs } from '../errors/retryAfterMs.js';

/** What becomes of an input that a buffer has no room for. */
export type OverflowStrategy = 'error' | 'drop-oldest' | 'drop-newest';

/** How many inputs that push themselves may wait. */
export interface Bound {
  readonly buffer: number;
  readonly overflow: OverflowStrategy;
}

/** Why a pipeline ends. An error may be anything, also `undefined`. */
interface Failure {
  readonly error: unknown;
}

/**
 * Runs inputs, so many at a time. One loop does one thing after the other, whoever sets it off: what happens while it
 * runs is done in one of its next rounds. So a million jobs that end at once are no stack of a million calls.
 */
export class Pipeline<I extends object, O> implements InputSink<JobRequest<I>> {
  readonly runner: Runner<I, O>;
  readonly scheduler: SchedulerLike;
  readonly #options: PipelineOptions<I, O>;
  readonly #retry: RetryItemOptions;
  readonly #bound: Bound | undefined;
  readonly #subscriber: Subscriber<PipelineItem<I, O>>;
  readonly #tally: PipelineProgress | undefined;
  readonly #controls = new Subscription();
  #feed: InputSource | undefined;
  #taken = 0;
  /** How many may be begun and not given out. */
  #room = 0;
  #paused = false;
  #pulling = false;
  #pumping = false;
  /** Taken, and not given to the runner yet. */
  #waiting: PipelineTask<I, O>[] = [];
  /** Given to the runner, until they end. */
  readonly #running = new Set<PipelineTask<I, O>>();
  /** Begun, and not given out yet. */
  #busy = 0;
  /** Of those: what became of them. Where the order counts, all of them, as a chain. */
  #ended: PipelineItem<I, O>[] = [];
  #oldest: PipelineTask<I, O> | undefined;
  #youngest: PipelineTask<I, O> | undefined;
  /** Never to be given to the runner. */
  #dropped: PipelineItem<I, O>[] = [];
  /** There are no more inputs, or no more are wanted. */
  #closed = false;
  /** What it errors with when all has ended, and what at once. */
  #failure: Failure | undefined;
  #fatal: Failure | undefined;
  left = false;

  constructor(
    runner: Runner<I, O>,
    options: PipelineOptions<I, O>,
    bound: Bound | undefined,
    subscriber: Subscriber<PipelineItem<I, O>>,
  ) {
    const { retry = 0, scheduler = asyncScheduler, totals } = options;
    this.runner = runner;
    this.scheduler = scheduler;
    this.#options = options;
    this.#retry = typeof retry === 'number' ? { count: retry } : retry;
    this.#bound = bound;
    this.#subscriber = subscriber;
    this.#tally = totals && new PipelineProgress(totals, scheduler);
  }

  get open(): boolean {
    return !this.left && !this.#closed;
  }

  begin(openFeed: OpenInputSource<JobRequest<I>>): void {
    const { concurrency = 10, paused } = this.#options;
    if (typeof concurrency === 'number') this.#room = concurrency;
    else
      this.#follow(
        concurrency,
        (room) => (this.#room = room),
        // It would wait for ever.
        () => {
          if (!(this.#room >= 1)) this.#stop({ error: withoutRoom() });
        },
      );
    if (paused) this.#follow(paused, (now) => (this.#paused = now));
    try {
      if (this.open) this.#feed = openFeed(this);
      // It may have given all at once, and more than was wanted.
      if (!this.open) this.#feed?.leave();
    } catch (error) {
      this.end({ error });
    }
    this.#report();
    this.pump();
  }

  /** An input is there. */
  take(request: JobRequest<I>): void {
    this.#pulling = false;
    if (!this.open) return;
    this.#waiting.push(new PipelineTask(this, this.#taken, request));
    this.#taken++;
    this.pump();
  }

  /** There are no more inputs. Those that were taken are still run. */
  end(failure?: Failure): void {
    this.#pulling = false;
    if (!this.open) return;
    this.#closed = true;
    this.#failure ??= failure;
    this.pump();
  }

  /** A job completed. */
  completed(flight: PipelineTask<I, O>, item: PipelineItem<I, O>): void {
    this.#running.delete(flight);
    this.#settle(flight, item);
    this.pump();
  }

  /** A job failed; it may be worth another attempt. */
  failed(flight: PipelineTask<I, O>, error: unknown): void {
    const { count, delay = (_: unknown, attempt: number) => 500 * 2 ** attempt, on = cannotHaveRun } = this.#retry;
    try {
      if (flight.attempts <= count && on(error)) {
        const after = typeof delay === 'number' ? delay : delay(error, flight.attempts);
        if (this.#tally) this.#tally.retried++;
        flight.later(Math.min(MAX_TIMER, Math.max(after, retryAfterMs(error))));
        this.#report();
      } else {
        this.#running.delete(flight);
        this.#settle(flight, flight.failure(error));
      }
    } catch (thrown) {
      this.#fatal ??= { error: thrown };
    }
    this.pump();
  }

  /** Cancels what is in flight, and takes no more. */
  leave(): void {
    if (this.left) return;
    const { open } = this;
    this.left = true;
    this.#controls.unsubscribe();
    if (open) this.#feed?.leave();
    for (const flight of this.#running) flight.leave();
    this.#running.clear();
    this.#waiting = [];
    this.#ended = [];
    this.#oldest = this.#youngest = undefined;
  }

  /** Does what can be done by now. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.left && this.#turn());
    } catch (error) {
      // A function of the caller's threw.
      this.#subscriber.error(error);
    }
    this.#pumping = false;
  }

  /** Does one thing, and says whether there may be more to do. */
  #turn(): boolean {
    const item = this.#next();
    if (item) {
      this.#give(item);
      return true;
    }
    if (this.#fatal) {
      this.#subscriber.error(this.#fatal.error);
      return false;
    }
    const free = !this.#paused && this.#busy < Math.floor(this.#room);
    const waiting = free ? this.#waiting.shift() : undefined;
    if (waiting) {
      this.#start(waiting);
      return true;
    }
    if (this.#bound && this.#waiting.length > this.#bound.buffer) {
      this.#overflow(this.#bound);
      return true;
    }
    if (free && this.open && !this.#pulling && this.#feed?.pull) {
      this.#pulling = true;
      try {
        this.#feed.pull();
      } catch (error) {
        this.end({ error });
      }
      return true;
    }
    if (this.open || this.#busy || this.#waiting.length) return false;
    if (this.#failure) this.#subscriber.error(this.#failure.error);
    else this.#subscriber.complete();
    return false;
  }

  /** What is to be given out next. */
  #next(): PipelineItem<I, O> | undefined {
    let item = this.#ended.shift();
    if (!item) {
      // What has its result is not lost for want of those that will have none.
      while (this.#fatal && this.#oldest && !this.#oldest.item) this.#oldest = this.#oldest.younger;
      item = this.#oldest?.item;
      if (item) this.#oldest = this.#oldest?.younger;
    }
    if (item) this.#busy--;
    return item ?? this.#dropped.shift();
  }

  #give(item: PipelineItem<I, O>): void {
    const { deadLetters, onError } = this.#options;
    if (!item.ok && deadLetters) deadLetters.next(item);
    // Under `throw`, its error is what the subscriber gets.
    else if (item.ok || onError !== 'throw') this.#subscriber.next(item);
  }

  #start(flight: PipelineTask<I, O>): void {
    this.#busy++;
    if (this.#options.order === 'input') {
      if (this.#oldest && this.#youngest) this.#youngest.younger = flight;
      else this.#oldest = flight;
      this.#youngest = flight;
    }
    this.#running.add(flight);
    this.#report();
    flight.begin();
  }

  #settle(flight: PipelineTask<I, O>, item: PipelineItem<I, O>): void {
    if (this.#options.order === 'input') flight.item = item;
    else this.#ended.push(item);
    this.#judge(item);
  }

  #overflow({ buffer, overflow }: Bound): void {
    const dropped = overflow === 'drop-oldest' ? this.#waiting.shift() : this.#waiting.pop();
    if (!dropped) return;
    const error = new BufferOverflowError(
      `input ${dropped.index} came while ${buffer} were waiting already (option overflow: ${overflow})`,
      { operation: 'run', accepted: 'no' },
    );
    this.#drop(dropped, error);
    if (overflow !== 'error') return;
    this.#feed?.leave();
    this.end({ error });
  }

  /** Says of an input that it is not run. That is told at once: nothing bounds how many there may be. */
  #drop(flight: PipelineTask<I, O>, error: RunpodError): void {
    const item = flight.failure(error);
    this.#dropped.push(item);
    this.#judge(item);
  }

  /** Counts an item, and does what `onError` says of it. */
  #judge(item: PipelineItem<I, O>): void {
    const { onError } = this.#options;
    this.#tally?.ended(item.ok);
    if (!item.ok && onError === 'throw') this.#fatal ??= item;
    if (!item.ok && onError === 'stop') this.#stop(item);
    this.#report();
  }

  /** Runs no more inputs, and errors when all that runs has ended. */
  #stop({ error }: Failure): void {
    this.#failure ??= { error };
    if (this.open) this.#feed?.leave();
    this.#closed = true;
    for (const flight of this.#waiting.splice(0))
      this.#drop(flight, new AbortedError({ operation: 'run', accepted: 'no', cause: error }));
    this.pump();
  }

  /** Goes by what an option says from time to time. */
  #follow<T>(option: Observable<T>, heard: (value: T) => void, complete?: () => void): void {
    this.#controls.add(
      option.subscribe({
        next: (value) => {
          heard(value);
          this.pump();
        },
        error: (error: unknown) => {
          this.#stop({ error });
        },
        complete,
      }),
    );
  }

  #report(): void {
    if (!this.#tally || this.left) return;
    this.#tally.taken = this.#taken;
    try {
      this.#tally.report({ waiting: this.#waiting.length, inFlight: this.#running.size, total: this.#feed?.total });
    } catch (error) {
      this.#fatal ??= { error };
    }
  }
}

/** Whether submitting again pays nothing twice, and may help. */
function cannotHaveRun(error: unknown): boolean {
  return error instanceof RunpodError && error.accepted === 'no' && error.retryable;
}

function withoutRoom(): ConfigurationError {
  return new ConfigurationError('the Observable given as concurrency completed, and its last number was not above 0', {
    operation: 'run',
  });
}
