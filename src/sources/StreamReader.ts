import {
  EMPTY,
  catchError,
  concatAll,
  defer,
  first,
  map,
  of,
  repeat,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { retryAfterMs } from '../errors/retryAfterMs.js';
import { RunpodError } from '../errors/RunpodError.js';
import { streamLoss } from '../errors/streamLoss.js';
import { clampDelay } from '../protocol/clampDelay.js';
import { MAX_RETRY_AFTER } from '../protocol/limits.js';
import { isTerminalStatus } from '../protocol/snapshot.js';
import type { StreamReply } from '../protocol/streamReply.js';
import type { ChunkDelivery } from './ChunkDelivery.js';
import { Outage } from './Outage.js';
import type { StreamChunksOptions } from './StreamChunksOptions.js';
import type { StreamEvent } from './StreamEvent.js';

/** The longest pause after a failed read in milliseconds, unless the server asks for a longer one. */
const MAX_FAILURE_PAUSE = 5000;

/** The options of `streamChunks` that reading goes by. */
export type StreamReaderOptions = Required<
  Pick<StreamChunksOptions, 'outage' | 'pause' | 'reached' | 'keepsChunks' | 'ended' | 'scheduler'>
>;

/**
 * Reads a job's stream again and again, one read at a time, and has the chunks of each answer delivered before the next
 * read. It stops when an empty answer follows a terminal status: then the server has no more chunks.
 */
export class StreamReader {
  readonly #read: () => Observable<StreamReply>;
  readonly #delivery: ChunkDelivery;
  readonly #options: StreamReaderOptions;
  #status = '';
  /** Whether the server has no more chunks. */
  #drained = false;
  #sentAt = 0;
  readonly #outage: Outage;
  /** How long after the current turn the next read is sent, in milliseconds. */
  #delay = 0;

  constructor(read: () => Observable<StreamReply>, delivery: ChunkDelivery, options: StreamReaderOptions) {
    this.#read = read;
    this.#delivery = delivery;
    this.#options = options;
    this.#outage = new Outage(options.outage);
  }

  /** The status of the latest answer, as the service wrote it. A terminal status is final: it is kept. */
  get status(): string {
    return this.#status;
  }

  /** Reads until the stream is drained, and emits what is delivered. To be subscribed to once. */
  readToEnd(): Observable<StreamEvent> {
    return this.#readOnce().pipe(
      map((reply) => this.#accept(reply)),
      catchError((error: unknown) => of(this.#fail(error))),
      concatAll(),
      // Where the notifier completes without a value, `repeat` completes.
      repeat({ delay: () => (this.#drained ? EMPTY : this.#untilNextRead()) }),
    );
  }

  #readOnce(): Observable<StreamReply> {
    const { scheduler, reached, keepsChunks } = this.#options;
    return defer(() => {
      let answered = false;
      this.#sentAt = scheduler.now();
      return defer(this.#read).pipe(
        tap({
          next: () => {
            answered = true;
          },
          // The answer to a read in flight is not seen, and may carry chunks.
          unsubscribe: () => {
            if (!answered && reached() && !keepsChunks()) this.#delivery.addLoss('possibly');
          },
        }),
        first(),
      );
    });
  }

  #accept(reply: StreamReply): Observable<StreamEvent> {
    const { status, chunks } = reply;
    const { pause, scheduler, ended } = this.#options;
    const now = scheduler.now();
    // A late answer with another status does not make a terminal status undone.
    if (!isTerminalStatus(this.#status)) this.#status = status;
    const empty = chunks.length === 0;
    // Of a kept stream, an answer without chunks may say only that the server has no further ones yet.
    this.#drained = empty && isTerminalStatus(reply.kept ? status : this.#status);
    this.#delay = empty ? this.#sentAt + pause - now : 0;
    this.#outage.end();
    this.#delivery.add(reply);
    // A reader that unsubscribes in `ended` loses nothing: the cursor has the chunks.
    if (isTerminalStatus(status)) ended();
    return this.#delivery.deliver();
  }

  #fail(error: unknown): Observable<StreamEvent> {
    const { pause, scheduler, keepsChunks } = this.#options;
    const outage = this.#outage;
    const loss = keepsChunks() ? undefined : streamLoss(error);
    if (loss) this.#delivery.addLoss(loss);
    const backOff = Math.min(MAX_FAILURE_PAUSE, pause * 2 ** outage.failures);
    const asked = Math.min(MAX_RETRY_AFTER, clampDelay(retryAfterMs(error)));
    outage.addFailure(scheduler.now());
    this.#delay = Math.max(backOff, asked);
    const readsOn = error instanceof RunpodError && error.retryable && outage.allowsPause(this.#delay);
    return readsOn ? this.#delivery.deliver(error) : throwError(() => error);
  }

  #untilNextRead(): Observable<unknown> {
    return this.#delay > 0 ? timer(this.#delay, this.#options.scheduler) : of(0);
  }
}
