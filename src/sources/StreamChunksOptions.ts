import type { Observable, SchedulerLike } from 'rxjs';
import type { ErrorContext } from '../errors/RunpodError.js';
import type { GapPolicy } from '../types/GapPolicy.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { StreamCursor } from './StreamCursor.js';

/** Options of `streamChunks`; all durations in milliseconds. */
export interface StreamChunksOptions {
  /** Reads the job until it is over: for the cause of a failure, and to fill a gap from the job's output. */
  readonly status: () => Observable<JobSnapshot>;
  /**
   * What to do after a read that may have taken chunks with it.
   *
   * - `hold`: keep the chunks after the gap back until the job is over. Then fill the gap from the job's output where the
   *   output proves to hold every chunk; else error with `StreamGapError`.
   * - `mark`: emit a `gap` event and go on at once.
   * - `error`: error with `StreamGapError` at once.
   * @defaultValue `'hold'`
   */
  readonly onGap?: GapPolicy;
  /**
   * How long reads may fail in a row before their error goes through, counted from the first failure. One failure alone
   * never goes through.
   * @defaultValue 300 000
   */
  readonly outage?: number;
  /**
   * The least time from sending one read to sending the next after an answer without chunks. The service itself holds its
   * answer while there are no chunks. After failed reads, the first pause; it doubles with each failure, up to 5 000.
   * @defaultValue 500
   */
  readonly pause?: number;
  /**
   * Checks a chunk, and may transform it: the first value is what is emitted. Chunks are checked one at a time, in order.
   * An error of the check is the stream's error.
   * @defaultValue passes every chunk as it is
   */
  readonly check?: (chunk: unknown) => Observable<unknown>;
  /**
   * Whether the read in flight may have reached the server. Called when the stream is unsubscribed from during a read: if
   * it may have, there is a gap.
   * @defaultValue always `true`
   */
  readonly reached?: () => boolean;
  /**
   * Whether the server keeps the chunks, so that a read that fails or is given up takes none with it. The answers of such a
   * server say where their chunks stand.
   * @defaultValue never: the service forgets a chunk as it answers
   */
  readonly keepsChunks?: () => boolean;
  /** Called when an answer says that the job is over, before the chunks of that answer are emitted. */
  readonly ended?: () => void;
  /**
   * How far the stream was read before. It is kept up to date, so that the next reading can go on from there.
   * @defaultValue the beginning
   */
  readonly cursor?: StreamCursor;
  /**
   * Where the errors of the stream say that they happened.
   * @defaultValue `{ operation: 'stream' }`
   */
  readonly context?: ErrorContext;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}
