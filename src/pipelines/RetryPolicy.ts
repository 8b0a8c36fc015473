import { invalidOptions } from '../errors/invalidOptions.js';
import { RunpodError } from '../errors/RunpodError.js';
import { retryAfterMs } from '../errors/retryAfterMs.js';
import { longDuration } from '../protocol/checkOptions.js';
import { MAX_TIMER } from '../protocol/limits.js';

/** When a pipeline submits an input again; all durations in milliseconds. */
export interface RetryItemOptions {
  /** The greatest number of times. */
  readonly count: number;
  /**
   * From the failure to the next submission. Where the error has a longer `retryAfter`, that counts.
   * @defaultValue 1 000, doubled after each attempt
   */
  readonly delay?: number | ((error: unknown, attempt: number) => number);
  /**
   * Whether to submit again after this error. For a job that ended FAILED, CANCELLED or TIMED_OUT, the error is the one
   * that `jobOutput` makes. That job may have run, and the new one is paid as well.
   * @defaultValue where the service cannot have accepted the job and may do so later: the error's `accepted` is `'no'`,
   * and it is `retryable`
   */
  readonly on?: (error: unknown) => boolean;
}

/** Decides whether and when a failed input is submitted again: the option `retry`. */
export class RetryPolicy {
  readonly #options: RetryItemOptions;

  constructor(retry: number | RetryItemOptions = 0) {
    this.#options = typeof retry === 'number' ? { count: retry } : retry;
  }

  /** The pause before the next attempt, in milliseconds; `undefined` where the failure is final. */
  delayAfter(error: unknown, attempts: number): number | undefined {
    const { count, delay = doubling, on = cannotHaveRun } = this.#options;
    if (attempts > count || !on(error)) return undefined;
    const pause = typeof delay === 'number' ? delay : delay(error, attempts);
    // NaN or text would be no pause at all.
    const issues = longDuration(pause, 'retry.delay');
    if (issues.length) throw invalidOptions('run', issues);
    return Math.min(MAX_TIMER, Math.max(pause, retryAfterMs(error)));
  }
}

function doubling(_error: unknown, attempt: number): number {
  return 500 * 2 ** attempt;
}

/** Whether submitting again cannot pay twice, and may succeed. */
function cannotHaveRun(error: unknown): boolean {
  return error instanceof RunpodError && error.accepted === 'no' && error.retryable;
}
