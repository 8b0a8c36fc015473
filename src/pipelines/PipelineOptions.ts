import type { Observable, Observer, SchedulerLike } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import type { FailedItem, PipelineTotals } from '../types/pipelines.js';

/** When an input of a pipeline is submitted again; all durations in milliseconds. */
export interface RetryItemOptions {
  /** How often at most. */
  readonly count: number;
  /**
   * From the failure to the next submission; the error's `retryAfter` is waited for in any case.
   * @defaultValue 1 000, and twice as much after each attempt
   */
  readonly delay?: number | ((error: unknown, attempt: number) => number);
  /**
   * Whether to submit again after this error; of a job that ended otherwise than COMPLETED, it is the one that
   * `jobOutput` makes. Such a job may have run, and another one is paid as well.
   * @defaultValue where the service cannot have taken the job, and may later: `accepted` is `'no'`, and it is `retryable`
   */
  readonly on?: (error: unknown) => boolean;
}

/** Options of pipelines. */
export interface PipelineOptions<I extends object = Record<string, unknown>, O = unknown> {
  /**
   * How many jobs at a time, or an Observable of that. 0 takes no more inputs; a lower number never cancels what runs.
   * Nothing is taken before an Observable's first number, and its last one holds when it completes.
   * @defaultValue 10
   */
  readonly concurrency?: number | Observable<number>;
  /**
   * Gives items as their jobs finish, or in the order of the inputs: there is then room for another input only when the
   * item was given, so that no more than `concurrency` are held.
   * @defaultValue `'finished'`
   */
  readonly order?: 'finished' | 'input';
  /**
   * How often an input is submitted again, where that cannot pay twice; or when.
   * @defaultValue 0
   */
  readonly retry?: number | RetryItemOptions;
  /**
   * What an input that failed does: `item` gives it, and goes on; `throw` errors at once with its error, and cancels
   * what is in flight; `stop` takes no more inputs, gives what is in flight, then errors.
   * @defaultValue `'item'`
   */
  readonly onError?: 'item' | 'throw' | 'stop';
  /**
   * Gets the failed items, which are not among the results then.
   * @defaultValue none
   */
  readonly deadLetters?: Pick<Observer<FailedItem<I, O>>, 'next'>;
  /**
   * Takes no more inputs while it says `true`. What runs goes on.
   * @defaultValue none
   */
  readonly paused?: Observable<boolean>;
  /**
   * Is told of each change; pass a `BehaviorSubject`.
   * @defaultValue none
   */
  readonly totals?: Pick<Observer<PipelineTotals>, 'next'>;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

/** Options with which there are no failed items among the results. */
export type WithoutFailures<I extends object, O> =
  { readonly onError: 'throw' } | { readonly deadLetters: Pick<Observer<FailedItem<I, O>>, 'next'> };

/** Throws where a number is none that can be meant. */
export function checkCount(operation: string, name: string, value: unknown, least: number): void {
  if (value === Infinity || (Number.isInteger(value) && Number(value) >= least)) return;
  throw new ConfigurationError(
    `${name} is ${String(value)}: it must be a whole number of at least ${least}, or Infinity`,
    { operation },
  );
}
