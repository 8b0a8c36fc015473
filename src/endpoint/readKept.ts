import { catchError, defer, tap, throwError, type Observable } from 'rxjs';
import { HttpError } from '../errors/HttpError.js';
import type { PushedStream } from '../polling/PushedStream.js';
import { RANGE_NOT_SATISFIABLE } from '../protocol/limits.js';
import type { StreamReply } from '../protocol/streamReply.js';
import { isKeptReply } from '../sources/keptStream.js';
import { pendingCount, type StreamCursor } from '../sources/StreamCursor.js';
import type { CallOptions } from '../types/callOptions.js';
import type { EndpointContext } from './EndpointContext.js';
import { streamCall, type StreamCall } from './streamCall.js';

/** One read of a stream that the server keeps. */
export interface KeptRead {
  readonly call: StreamCall;
  readonly callOptions: CallOptions;
  readonly cursor: StreamCursor;
  readonly pushed: PushedStream;
}

/**
 * Reads a stream that the server keeps from where its reader is: by what is pushed of it, or by a request. A server that
 * refuses to be asked for a place keeps no streams, and has taken no chunks: it is read plainly from then on.
 */
export function readKept(
  context: EndpointContext,
  { call, callOptions, cursor, pushed }: KeptRead,
): Observable<StreamReply> {
  const { jobs } = context;
  const ask$ = defer(() => streamCall(context, { ...call, position: positionOf(cursor) }, callOptions)).pipe(
    tap((reply) => {
      if (!isKeptReply(reply)) jobs.pushedStreams.refuse();
    }),
    catchError((error: unknown) => {
      if (!(error instanceof HttpError && error.status === RANGE_NOT_SATISFIABLE)) return throwError(() => error);
      jobs.pushedStreams.refuse();
      return streamCall(context, call, callOptions);
    }),
  );
  const { place } = cursor;
  return place ? pushed.read(place, ask$) : ask$;
}

/** What tells the server where a reader is: the place after the last answer, and how many chunks it has had. */
function positionOf(cursor: StreamCursor): StreamCall['position'] {
  const { count, place } = cursor;
  return { chunks: count + pendingCount(cursor), log: place?.log, from: place?.at };
}
