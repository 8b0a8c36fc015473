import type { Observer } from 'rxjs';
import { having, longDuration, mustBe, oneOf, type Checks } from '../protocol/checkOptions.js';
import type { BatchStore } from './BatchStore.js';

/** How many requests fit into a batch, and how many batches may be active, as documented. */
export const MAX_BATCH_REQUESTS = 5_000;
const MAX_ACTIVE_BATCHES = 10;

/** How far a run of batches is. */
export interface BatchTotals {
  /** Requests that were taken. */
  readonly taken: number;
  /** Requests of batches that run or ran. */
  readonly submitted: number;
  readonly done: number;
  readonly failed: number;
}

/** Options of `Batches.run`; all durations in milliseconds. */
export interface BatchRunOptions {
  /**
   * How many batches are active at once, drafts included. The service allows ten for each endpoint, whoever made them.
   * @defaultValue 2
   */
  readonly concurrency?: number;
  /**
   * How many requests a batch has at most.
   * @defaultValue 5 000, as many as the service takes
   */
  readonly batchSize?: number;
  /**
   * How long after each answer a batch is read again.
   * @defaultValue 5 000
   */
  readonly every?: number;
  /**
   * Remembers how far the run is, so that it goes on after a crash: run it again with the same requests in the same order. A
   * batch whose items were all given is not given again.
   * @defaultValue none: a crash loses the run
   */
  readonly store?: BatchStore;
  /**
   * What becomes of the batches when the run is unsubscribed from before its end. `cancel`: requests that wait are cancelled, and
   * those that run finish. `detach`: they go on.
   * @defaultValue `'cancel'`; with a store `'detach'`, and the next run takes them up
   */
  readonly onUnsubscribe?: 'cancel' | 'detach';
  /**
   * Receives the totals after each change; pass a `BehaviorSubject`.
   * @defaultValue none
   */
  readonly totals?: Pick<Observer<BatchTotals>, 'next'>;
}

const wholeFrom1To = (max: number) =>
  mustBe(
    `a whole number from 1 to ${max}`,
    (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= max,
  );

export const checksOfRun: Checks<BatchRunOptions> = {
  concurrency: wholeFrom1To(MAX_ACTIVE_BATCHES),
  batchSize: wholeFrom1To(MAX_BATCH_REQUESTS),
  every: longDuration,
  store: having('a store, with the functions read and write', 'read', 'write'),
  onUnsubscribe: oneOf('cancel', 'detach'),
  totals: having('an observer', 'next'),
};
