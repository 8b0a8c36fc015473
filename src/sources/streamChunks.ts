import {
  EMPTY,
  asyncScheduler,
  catchError,
  concat,
  concatAll,
  concatMap,
  defer,
  first,
  last,
  map,
  of,
  range,
  repeat,
  take,
  tap,
  throwError,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { jobError } from '../errors/jobError.js';
import { streamLoss } from '../errors/streamLoss.js';
import { RunpodError, type ErrorContext } from '../errors/RunpodError.js';
import { StreamGapError } from '../errors/StreamGapError.js';
import { MAX_TIMER } from '../protocol/limits.js';
import { isTerminal, isTerminalStatus } from '../protocol/snapshot.js';
import type { StreamReply } from '../protocol/streamReply.js';
import type { GapPolicy } from '../types/GapPolicy.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { retryAfterMs } from '../errors/retryAfterMs.js';
import { recoverChunks } from './recoverChunks.js';
import { streamCursor, type StreamCursor } from './StreamCursor.js';

/** What {@link streamChunks} emits; a `gap`, where chunks may be missing, only under `onGap: 'mark'`. */
export type StreamEvent =
  { readonly type: 'chunk'; readonly chunk: unknown } | { readonly type: 'gap'; readonly delivered: number };

/** Options of {@link streamChunks}; all durations in milliseconds. */
export interface StreamChunksOptions {
  /** Reads the job until it is over: for the cause of a failure, and to fill a gap from the job's output. */
  readonly status: () => Observable<JobSnapshot>;
  /**
   * - `hold`: keep what follows a gap back until the job is over, then fill the gap from the job's output where that
   *   proves to hold everything, or error with `StreamGapError`.
   * - `mark`: emit a `gap` event and go on live.
   * - `error`: error with `StreamGapError` at once.
   * @defaultValue `'hold'`
   */
  readonly onGap?: GapPolicy;
  /**
   * How long reads may fail in a row before their error goes through, counted from the last good answer.
   * @defaultValue 300 000
   */
  readonly outage?: number;
  /**
   * The least time from one read to the next while there is nothing to deliver. The service holds such a read by itself.
   * @defaultValue 500
   */
  readonly pause?: number;
  /**
   * Checks a chunk, and may transform it; one at a time, in order. Its error is the stream's.
   * @defaultValue passes every chunk as it is
   */
  readonly check?: (chunk: unknown) => Observable<unknown>;
  /**
   * Whether the read in flight may have reached the server; asked when it is left, since it is a gap then.
   * @defaultValue it may
   */
  readonly reached?: () => boolean;
  /** Told when an answer says that the job is over, before the chunks of that answer go out. */
  readonly ended?: () => void;
  /**
   * Where to go on from.
   * @defaultValue the beginning
   */
  readonly cursor?: StreamCursor;
  /** What errors say of the job. */
  readonly context?: ErrorContext;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

/**
 * Reads a job's stream: each chunk once and in order, until an empty answer follows a terminal status.
 *
 * ```ts
 * streamChunks(() => readStream(id), { status: () => endpoint.watch(id) });
 * ```
 *
 * The service takes chunks off its buffer as it answers, so there must be one reader, and an answer that is lost may
 * take chunks with it: `onGap` says what then. A failure that cannot have taken any (429, another 4xx, never connected)
 * is no gap. Reads that fail are repeated for `outage`.
 *
 * - Completes when the job completed and all its chunks are delivered.
 * - Of a job that ended otherwise, the chunks come first, then its error, as from `jobOutput`.
 * - Unsubscribing aborts the read in flight and does nothing to the job. What that read carried is a gap for whoever
 *   goes on with the same cursor.
 */
export function streamChunks(
  read: () => Observable<StreamReply>,
  options: StreamChunksOptions,
): Observable<StreamEvent> {
  const {
    onGap = 'hold',
    outage = 300_000,
    pause = 500,
    check = (chunk) => of(chunk),
    reached = () => true,
    scheduler = asyncScheduler,
  } = options;
  const context = options.context ?? { operation: 'stream' };

  return defer(() => {
    const cursor = options.cursor ?? streamCursor();
    let good = scheduler.now();
    let failures = 0;
    let due = 0;
    let status = '';
    let drained = false;

    const gapError = (cause?: unknown) => {
      const { count: delivered, pending: held, gap: lost = 'possibly' } = cursor;
      return new StreamGapError(
        `the stream of job ${context.jobId ?? '?'} ${lost} lost chunks after the first ${delivered}; a worker with return_aggregate_stream lets them be recovered`,
        { ...context, cause },
        { delivered, held, lost },
      );
    };

    const took = () => {
      const chunk = cursor.pending.shift();
      cursor.count++;
      if (onGap === 'hold') cursor.delivered.push(chunk);
    };

    // A chunk stays pending until it goes out: its check may take a while, and the reader may leave in between.
    const drain = (): Observable<StreamEvent> =>
      range(0, cursor.pending.length).pipe(
        concatMap((): Observable<unknown> => check(cursor.pending[0]).pipe(take(1), tap({ next: took, error: took }))),
        map((chunk) => ({ type: 'chunk', chunk })),
      );

    /** Everything that may go out now. */
    const emit = (cause?: unknown): Observable<StreamEvent> => {
      if (!cursor.gap) return drain();
      if (onGap === 'hold') return EMPTY;
      if (onGap === 'error') return throwError(() => gapError(cause));
      delete cursor.gap;
      const delivered = cursor.count;
      cursor.count = Math.max(delivered, cursor.next ?? 0);
      return concat(of<StreamEvent>({ type: 'gap', delivered }), drain());
    };

    const accept = (reply: StreamReply): Observable<StreamEvent> => {
      const idle = !reply.chunks.length;
      // A terminal status is final, whatever a late answer says.
      if (!isTerminalStatus(status)) status = reply.status;
      drained = idle && isTerminalStatus(status);
      due = idle ? Math.max(0, asked + pause - scheduler.now()) : 0;
      good = scheduler.now();
      failures = 0;
      for (const chunk of reply.chunks) cursor.pending.push(chunk);
      // Whoever leaves because of it has lost nothing: the chunks are kept.
      if (isTerminalStatus(reply.status)) options.ended?.();
      return emit();
    };

    const fail = (error: unknown): Observable<StreamEvent> => {
      const loss = streamLoss(error);
      if (loss && cursor.gap !== 'certainly') cursor.gap = loss;
      due = Math.min(MAX_TIMER, Math.max(Math.min(5000, pause * 2 ** failures++), retryAfterMs(error)));
      const passing = error instanceof RunpodError && error.retryable && scheduler.now() + due - good <= outage;
      return passing ? emit(error) : throwError(() => error);
    };

    let asked = 0;
    const readOnce = defer(() => {
      let answered = false;
      asked = scheduler.now();
      return defer(read).pipe(
        tap({
          next: () => (answered = true),
          unsubscribe: () => answered || !reached() || (cursor.gap ??= 'possibly'),
        }),
        first(),
      );
    });

    const turn$ = readOnce.pipe(
      map(accept),
      catchError((error: unknown) => of(fail(error))),
      concatAll(),
    );

    const end = (snapshot: JobSnapshot): Observable<StreamEvent> => {
      const failed = isTerminal(snapshot) && snapshot.status !== 'COMPLETED' ? jobError(snapshot, context) : undefined;
      if (cursor.gap) {
        const rest = recoverChunks(snapshot, cursor);
        if (!rest) return throwError(() => gapError(failed));
        cursor.pending = [...rest];
        delete cursor.gap;
      }
      return concat(drain(), failed ? throwError(() => failed) : EMPTY);
    };

    return concat(
      defer(() => emit()),
      turn$.pipe(repeat({ delay: () => (drained ? EMPTY : due > 0 ? timer(due, scheduler) : of(0)) })),
      defer(() =>
        status === 'COMPLETED' && !cursor.gap ? EMPTY : options.status().pipe(last(isTerminal), concatMap(end)),
      ),
    );
  });
}
