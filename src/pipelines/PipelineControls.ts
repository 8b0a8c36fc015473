import { Subscription, type Observable } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { kindOf } from '../protocol/checks.js';
import type { PipelineOptions } from './PipelineOptions.js';

/** The part of a pipeline that its controls act on. */
export interface ControlledPipeline {
  /** Starts what the controls now allow. */
  advance(): void;
  /** Takes no more inputs, and errors when the tasks in flight have ended. */
  stop(error: unknown): void;
}

/** How many tasks may run now: the options `concurrency` and `paused`, whose values may change at any time. */
export class PipelineControls {
  readonly #pipeline: ControlledPipeline;
  readonly #subscriptions = new Subscription();
  /** 0 until an Observable has emitted its first number. */
  #concurrency = 0;
  #paused = false;

  constructor(pipeline: ControlledPipeline) {
    this.#pipeline = pipeline;
  }

  follow<I extends object, O>({ concurrency = 10, paused }: PipelineOptions<I, O>): void {
    if (typeof concurrency === 'number') this.#concurrency = concurrency;
    else
      this.#subscribe(
        concurrency,
        (value: unknown) => {
          if (typeof value === 'number' && value >= 0) this.#concurrency = value;
          else this.#pipeline.stop(notConcurrency(value));
        },
        () => {
          // Below 1, or NaN: the pipeline would wait for ever.
          if (!(this.#concurrency >= 1)) this.#pipeline.stop(noConcurrency());
        },
      );
    if (paused) this.#subscribe(paused, (value) => (this.#paused = value));
  }

  /** Whether another task may start while so many slots are taken. */
  hasFreeSlot(takenSlots: number): boolean {
    return !this.#paused && takenSlots < Math.floor(this.#concurrency);
  }

  unsubscribe(): void {
    this.#subscriptions.unsubscribe();
  }

  #subscribe<T>(option: Observable<T>, apply: (value: T) => void, complete?: () => void): void {
    this.#subscriptions.add(
      option.subscribe({
        next: (value) => {
          apply(value);
          this.#pipeline.advance();
        },
        error: (error: unknown) => {
          this.#pipeline.stop(error);
        },
        complete,
      }),
    );
  }
}

function notConcurrency(value: unknown): ConfigurationError {
  return new ConfigurationError(
    `the Observable given as concurrency emitted ${typeof value === 'number' ? value : kindOf(value)}: it must be a number of at least 0`,
    { operation: 'run' },
  );
}

function noConcurrency(): ConfigurationError {
  return new ConfigurationError('the Observable given as concurrency completed, and its last number was not above 0', {
    operation: 'run',
  });
}
