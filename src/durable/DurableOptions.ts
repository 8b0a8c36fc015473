import type { Observable, SchedulerLike } from 'rxjs';
import type { JobOptions, JobRequest } from '../index.js';
import {
  callback,
  having,
  longDuration,
  mustBe,
  oneOf,
  required,
  scheduler,
  type Checks,
} from '../protocol/checkOptions.js';
import type { Eventually } from '../server/eventually.js';
import type { JobRow } from './JobRow.js';
import type { JobStore } from './JobStore.js';

/** What `durable` needs of the receiver of webhooks: `createWebhooks` of `runpod-rx/server` makes one. */
export interface DurableWebhooks {
  /** The request with a `webhook` that carries the key. */
  sign<I extends object>(request: JobRequest<I>, key: string): JobRequest<I>;
  /** Which job a key has become, where it is known. */
  jobOf(key: string): Eventually<string | null | undefined>;
  /** Which job a key has become, as webhooks come to this process. */
  readonly resolved$: Observable<{ readonly key: string; readonly id: string }>;
}

/** Options of `durable`; all durations in milliseconds. */
export interface DurableOptions<I extends object = Record<string, unknown>> {
  /** Where the jobs are remembered: `fileStore`, `sqliteStore`, `postgresStore`, or your own. */
  readonly store: JobStore;
  /**
   * Your own name of an input, such as the id of an order: 1 to 200 characters. One key has one job; the same key with
   * another input is an error, and nothing is sent.
   */
  readonly key: (request: JobRequest<I>) => string;
  /**
   * What is done for a job that was sent and whose answer was lost, by a crash or on the wire.
   *
   * - `wait`: waits for its webhook, for `grace`; then the input fails with `submission_unknown`, and the row stays
   *   `sending`: the next run waits again.
   * - `fail`: the input fails at once with `submission_unknown`, and the row stays `sending`.
   * - `resubmit`: submits it again, which may pay twice. With `webhooks`, waits for `grace` before. Three times in
   *   a run at most: where all answers are lost, the input fails with `submission_unknown`.
   * @defaultValue `'wait'` with `webhooks`, `'fail'` without
   */
  readonly ambiguous?: 'wait' | 'fail' | 'resubmit';
  /**
   * The receiver of webhooks. Each job is submitted with a URL of its own, so that its webhook says which job a lost answer
   * was about. Receivers in other processes count as far as they share its store.
   * @defaultValue none
   */
  readonly webhooks?: DurableWebhooks;
  /**
   * How long after it was sent the webhook of an ambiguous job is waited for. The webhook comes when the job is over. It is
   * looked up at least once.
   * @defaultValue 1 800 000 (half an hour)
   */
  readonly grace?: number;
  /**
   * What happens to an input whose job has ended before: its result is given again; or the input is skipped where the option
   * `commit` of a pipeline has stored the result, and only given again where it has not.
   * @defaultValue `'again'`
   */
  readonly ended?: 'again' | 'skip';
  /**
   * Whether an ended job is run again, such as one that FAILED because of a mistake that is mended. It is paid again.
   * @defaultValue none is
   */
  readonly runAgain?: (row: JobRow) => boolean;
  /**
   * Options of each job, such as `timeout`. `onUnsubscribe` may be `'cancel'`, the default: a job that is left is cancelled,
   * and run again next time; or `'detach'`: it goes on, and is attached to next time.
   * @defaultValue none
   */
  readonly job?: Omit<
    JobOptions<I>,
    'beforeSend' | 'afterSubmit' | 'beforeCancel' | 'stream' | 'replayChunks' | 'grace'
  >;
  /**
   * All time comes from it: the client's.
   * @defaultValue `asyncScheduler`, with durations by `performance.now()`
   */
  readonly scheduler?: SchedulerLike;
}

/** What else is wrong with them, the jobs say. */
const jobOptions = mustBe("an object of options of a job, with onUnsubscribe 'cancel' or 'detach'", (value) => {
  const { onUnsubscribe = 'cancel' } = Object(value) as { readonly onUnsubscribe?: unknown };
  return typeof value === 'object' && (onUnsubscribe === 'cancel' || onUnsubscribe === 'detach');
});

export const checksOfDurable: Checks<DurableOptions<object>> = {
  store: required(having('a store, with the functions get, put, commit and rows', 'get', 'put', 'commit', 'rows')),
  key: required(callback),
  ambiguous: oneOf('wait', 'fail', 'resubmit'),
  webhooks: having('a receiver of webhooks, with the functions sign and jobOf', 'sign', 'jobOf'),
  grace: longDuration,
  ended: oneOf('again', 'skip'),
  runAgain: callback,
  job: jobOptions,
  scheduler,
};
