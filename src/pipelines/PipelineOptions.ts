import type { Observable, ObservableInput, Observer, SchedulerLike } from 'rxjs';
import type { FailedItem, PipelineItem } from './PipelineItem.js';
import type { PipelineTotals } from './PipelineProgress.js';
import type { RetryItemOptions } from './RetryPolicy.js';

/** Options of pipelines. */
export interface PipelineOptions<I extends object = Record<string, unknown>, O = unknown> {
  /**
   * How many jobs run at a time, or an Observable of that number. 0 takes no more inputs; a lower number never cancels a
   * running job. Given an Observable, the pipeline takes no input before its first number, and keeps its last number
   * when it completes.
   * @defaultValue 10
   */
  readonly concurrency?: number | Observable<number>;
  /**
   * `'finished'` emits items as their jobs finish. `'input'` emits them in the order of the inputs; a finished job then
   * keeps its slot until its item is emitted, so that the pipeline holds no more than `concurrency` items.
   * @defaultValue `'finished'`
   */
  readonly order?: 'finished' | 'input';
  /**
   * How many times an input is submitted again after a failure that cannot have started a job; or the terms of that.
   * @defaultValue 0
   */
  readonly retry?: number | RetryItemOptions;
  /**
   * What a failed item does. `item` emits it, and goes on. `throw` errors at once with the item's error, and cancels the
   * jobs in flight. `stop` takes no more inputs, emits the items of the jobs in flight, then errors.
   * @defaultValue `'item'`
   */
  readonly onError?: 'item' | 'throw' | 'stop';
  /**
   * Receives the failed items. The pipeline then emits only the items that succeeded.
   * @defaultValue none
   */
  readonly deadLetters?: Pick<Observer<FailedItem<I, O>>, 'next'>;
  /**
   * Stores an item. Called as its job ends, whatever the `order`, also for an item that failed, and awaited until it
   * completes; only then the item is emitted, or goes to `deadLetters`. The item keeps its slot until then, so that no more
   * than `concurrency` results are on their way. Where it errors, the item becomes a failed one with a `HookError`, whose
   * `snapshot` is the end of the job, and is not retried: the job is paid. Unsubscribing from the pipeline does not
   * unsubscribe from it. Not called for an input that the runner was never given.
   * @defaultValue none: items are emitted as they come
   */
  readonly commit?: (item: PipelineItem<I, O>) => ObservableInput<unknown>;
  /**
   * While its last value is `true`, the pipeline takes no inputs. Running jobs go on.
   * @defaultValue none
   */
  readonly paused?: Observable<boolean>;
  /**
   * Receives the totals after each change; pass a `BehaviorSubject`.
   * @defaultValue none
   */
  readonly totals?: Pick<Observer<PipelineTotals>, 'next'>;
  /**
   * Runs the pauses before retries, and is the clock of `totals`.
   * @defaultValue `asyncScheduler`
   */
  readonly scheduler?: SchedulerLike;
}

/** Options with which a pipeline emits no failed items. */
export type WithoutFailures<I extends object, O> =
  { readonly onError: 'throw' } | { readonly deadLetters: Pick<Observer<FailedItem<I, O>>, 'next'> };
