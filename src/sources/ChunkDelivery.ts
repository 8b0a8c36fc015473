import { EMPTY, concat, concatMap, map, of, range, take, tap, throwError, type Observable } from 'rxjs';
import { jobError } from '../errors/jobError.js';
import { StreamGapError } from '../errors/StreamGapError.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { StreamReply } from '../protocol/streamReply.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { isKeptReply, later, newsFor, placeAfter, type KeptReply } from './keptStream.js';
import { recoverChunks } from './recoverChunks.js';
import type { StreamChunksOptions } from './StreamChunksOptions.js';
import { firstPending, pendingChunks, pendingCount, takePending, type StreamCursor } from './StreamCursor.js';
import type { StreamEvent } from './StreamEvent.js';

/** The options of `streamChunks` that delivering goes by. */
export type ChunkDeliveryOptions = Required<Pick<StreamChunksOptions, 'onGap' | 'check' | 'context'>>;

/**
 * Delivers the chunks of a stream: each once and in order, and beyond a gap only as the gap policy allows. All that it
 * knows is in the cursor, so that the next reader goes on where this one stops.
 */
export class ChunkDelivery {
  readonly #cursor: StreamCursor;
  readonly #options: ChunkDeliveryOptions;

  constructor(cursor: StreamCursor, options: ChunkDeliveryOptions) {
    this.#cursor = cursor;
    this.#options = options;
  }

  /** Whether a read may have taken chunks that are not delivered. */
  get hasGap(): boolean {
    return this.#cursor.gap !== undefined;
  }

  /** Keeps the chunks of an answer until they are delivered, but for those that came before. */
  add(reply: StreamReply): void {
    const cursor = this.#cursor;
    const chunks = isKeptReply(reply) ? this.#newsOf(reply) : reply.chunks;
    // Not `push(...chunks)`: an answer may have more chunks than a call may have arguments.
    for (const chunk of chunks) cursor.pending.push(chunk);
  }

  /** Notes that a read may have taken chunks. A certain loss stays certain. */
  addLoss(loss: 'possibly' | 'certainly'): void {
    if (this.#cursor.gap !== 'certainly') this.#cursor.gap = loss;
  }

  /**
   * Emits what may be delivered now. Without a gap these are all pending chunks. After a gap, `hold` emits nothing, `error`
   * errors, and `mark` emits a `gap` event before the pending chunks.
   *
   * @param cause - the error of the read that failed, for `StreamGapError`
   */
  deliver(cause?: unknown): Observable<StreamEvent> {
    const { gap } = this.#cursor;
    if (!gap) return this.#deliverPending();
    const { onGap } = this.#options;
    if (onGap === 'hold') return EMPTY;
    return onGap === 'error' ? throwError(() => this.#gapError(gap, cause)) : this.#deliverPastGap();
  }

  /**
   * Delivers the rest of a job that is over, then errors where the job did not complete. A gap is filled from the job's
   * output; where the output does not prove to hold every chunk, it errors with `StreamGapError`.
   */
  finish(snapshot: JobSnapshot): Observable<StreamEvent> {
    const failed = isTerminal(snapshot) && snapshot.status !== 'COMPLETED';
    const error = failed ? jobError(snapshot, this.#options.context) : undefined;
    const { gap } = this.#cursor;
    if (gap) {
      const rest = recoverChunks(snapshot, this.#cursor);
      if (!rest) return throwError(() => this.#gapError(gap, error));
      this.#cursor.pending = [...rest];
      delete this.#cursor.taken;
      delete this.#cursor.gap;
    }
    return concat(this.#deliverPending(), error ? throwError(() => error) : EMPTY);
  }

  #newsOf(reply: KeptReply): readonly unknown[] {
    const cursor = this.#cursor;
    const { place, formerPlaces = [] } = cursor;
    const { log } = reply.kept;
    const received = cursor.count + pendingCount(cursor);
    const isOtherLog = place && place.log !== log;
    const former = isOtherLog ? formerPlaces.find((one) => one.log === log) : undefined;
    const { chunks, loss, before } = newsFor(reply, former ?? place, received);
    // What comes from two logs in turn has an order that nobody knows.
    if (loss) this.addLoss(loss);
    else if (former && chunks.length) this.addLoss('possibly');
    if (before !== undefined) cursor.next = before;
    if (isOtherLog) cursor.formerPlaces = [...formerPlaces.filter((one) => one !== former), place];
    cursor.place = later(former ?? place, placeAfter(reply));
    return chunks;
  }

  #deliverPending(): Observable<StreamEvent> {
    const cursor = this.#cursor;
    // A chunk stays pending until its check is done, because the reader may leave before that.
    const takeFirst = () => {
      this.#takeFirst();
    };
    return range(0, pendingCount(cursor)).pipe(
      concatMap(() =>
        this.#options.check(firstPending(cursor)).pipe(take(1), tap({ next: takeFirst, error: takeFirst })),
      ),
      map((chunk) => ({ type: 'chunk', chunk })),
    );
  }

  /** Moves the first pending chunk to those that count as delivered. */
  #takeFirst(): void {
    const cursor = this.#cursor;
    const chunk = takePending(cursor);
    cursor.count++;
    // Only `hold` fills gaps, and compares the delivered chunks with the job's output.
    if (this.#options.onGap === 'hold') cursor.delivered.push(chunk);
  }

  #deliverPastGap(): Observable<StreamEvent> {
    const cursor = this.#cursor;
    const delivered = cursor.count;
    delete cursor.gap;
    // Another reader may have had the chunks that are missing here; counting goes on after them.
    cursor.count = Math.max(delivered, cursor.next ?? 0);
    return concat(of<StreamEvent>({ type: 'gap', delivered }), this.#deliverPending());
  }

  #gapError(lost: 'possibly' | 'certainly', cause: unknown): StreamGapError {
    const { context } = this.#options;
    const { count: delivered } = this.#cursor;
    const held = pendingChunks(this.#cursor);
    return new StreamGapError(
      `the stream of job ${context.jobId ?? '?'} ${lost} lost chunks after the first ${delivered}; a worker with return_aggregate_stream lets them be recovered`,
      { ...context, cause },
      { delivered, held, lost },
    );
  }
}
