import { defer, tap, throwError, type Observable } from 'rxjs';
import type { RunpodError } from '../errors/RunpodError.js';
import type { ReaderPosition, StreamCursor } from '../sources/StreamCursor.js';
import { cursorAt } from './cursorAt.js';
import type { KnownJob } from './KnownJob.js';
import type { PushedStream } from './PushedStream.js';
import type { PushedStreams } from './PushedStreams.js';

/** A reading of a job's stream. */
export interface StreamReading<T> {
  /** How far this reader has come; kept up to date. */
  readonly position: ReaderPosition;
  /** Makes the error for a second reader. */
  readonly inUse: () => RunpodError;
  readonly read: (cursor: StreamCursor, pushed: PushedStream) => Observable<T>;
  readonly streams: PushedStreams;
}

/** Reads a job's stream as its only reader, from where the reader before it stopped, and keeps how far it comes. */
export function readAlone<T>(job: KnownJob, { position, inUse, read, streams }: StreamReading<T>): Observable<T> {
  return defer(() => {
    if (job.streaming) return throwError(inUse);
    job.streaming = true;
    const cursor = cursorAt(position, job, streams.isKept);
    job.cursor = cursor;
    const updatePosition = () => {
      position.chunks = cursor.count;
      job.chunksDelivered = Math.max(job.chunksDelivered, cursor.count);
    };
    const stop = (over: boolean) => {
      job.streaming = false;
      streams.close(job.id);
      // A chunk that does not match its schema was delivered, too.
      updatePosition();
      if (over) job.cursor = undefined;
    };
    updatePosition();
    return read(cursor, streams.open(job.id)).pipe(
      tap({
        next: updatePosition,
        complete: () => {
          stop(true);
        },
        error: (error: unknown) => {
          // An error with a snapshot says that the job is over; after any other, the stream can be read on.
          stop(!!(error as { snapshot?: unknown } | undefined)?.snapshot);
        },
        unsubscribe: () => {
          stop(false);
        },
      }),
    );
  });
}
