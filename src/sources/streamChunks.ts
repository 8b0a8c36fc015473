import { EMPTY, concat, concatMap, defer, last, noop, of, type Observable } from 'rxjs';
import { assertOptions } from '../errors/invalidOptions.js';
import {
  callback,
  duration,
  oneOf,
  record,
  required,
  scheduler as isScheduler,
  type Checks,
} from '../protocol/checkOptions.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { StreamReply } from '../protocol/streamReply.js';
import { ChunkDelivery } from './ChunkDelivery.js';
import type { StreamChunksOptions } from './StreamChunksOptions.js';
import { durationScheduler } from '../time/clocks.js';
import { streamCursor } from './StreamCursor.js';
import type { StreamEvent } from './StreamEvent.js';
import { StreamReader } from './StreamReader.js';

const STREAM_CHUNKS: Checks<StreamChunksOptions> = {
  status: required(callback),
  onGap: oneOf('hold', 'mark', 'error'),
  outage: duration,
  pause: duration,
  check: callback,
  reached: callback,
  keepsChunks: callback,
  ended: callback,
  cursor: record,
  context: record,
  scheduler: isScheduler,
};

/**
 * Reads a job's stream: each chunk once and in order, until an empty answer follows a terminal status.
 *
 * ```ts
 * streamChunks(() => readStream(id), { status: () => endpoint.watch(id) });
 * ```
 *
 * The service removes chunks from its buffer as it answers. So a stream must have one reader, and an answer that is lost may
 * take chunks with it: a gap, for which `onGap` says what happens. A failure that cannot have taken chunks (429,
 * another 4xx but 408, no connection) is no gap. Failed reads are repeated for `outage` where their error is `retryable`.
 *
 * - Emits a `chunk` event for each chunk, and under `onGap: 'mark'` a `gap` event for each gap.
 * - Completes when the job completed and all its chunks are delivered.
 * - Where the job ended otherwise, its chunks come first, then its error, as from `jobOutput`.
 * - Throws `ConfigurationError` for options that cannot work.
 * - Unsubscribing aborts the read in flight and does nothing to the job. The answer to that read may carry chunks: the
 *   next reading with the same cursor has a gap there.
 */
export function streamChunks(
  read: () => Observable<StreamReply>,
  options: StreamChunksOptions,
): Observable<StreamEvent> {
  assertOptions('streamChunks', options, STREAM_CHUNKS);
  const {
    onGap = 'hold',
    outage = 300_000,
    pause = 500,
    check = (chunk) => of(chunk),
    reached = () => true,
    keepsChunks = () => false,
    context = { operation: 'stream' },
    ended = noop,
    status,
  } = options;
  const scheduler = durationScheduler(options.scheduler);

  return defer(() => {
    const delivery = new ChunkDelivery(options.cursor ?? streamCursor(), { onGap, check, context });
    const streamReader = new StreamReader(read, delivery, { outage, pause, reached, keepsChunks, ended, scheduler });
    const deliver$ = defer(() => delivery.deliver());
    const finish$ = defer(() => {
      if (streamReader.status === 'COMPLETED' && !delivery.hasGap) return EMPTY;
      return status().pipe(
        last(isTerminal),
        concatMap((snapshot) => delivery.finish(snapshot)),
      );
    });
    return concat(deliver$, streamReader.readToEnd(), finish$);
  });
}
