import { tap, type Observable } from 'rxjs';
import type { ApiCall } from '../http/ApiCall.js';
import { STREAM_WAIT } from '../protocol/limits.js';
import { isTerminalStatus } from '../protocol/snapshot.js';
import { parseStream, type StreamReply } from '../protocol/streamReply.js';
import type { CallOptions } from '../types/callOptions.js';
import type { EndpointContext } from './EndpointContext.js';

/** What one read of a stream asks for, and what else its call needs. */
export interface StreamCall extends Omit<ApiCall<StreamReply>, 'operation' | 'jobId' | 'query' | 'holdFor' | 'read'> {
  readonly id: string;
  /** How long the service may hold its answer while there is no chunk, in milliseconds. */
  readonly wait?: number | undefined;
  /** What the read asks of a server that keeps the stream. */
  readonly position?: ApiCall<unknown>['query'];
}

/** Reads a job's stream once: `GET /stream`. Emits the answer and completes. */
export function streamCall(
  context: EndpointContext,
  { id, wait, position, ...call }: StreamCall,
  options?: CallOptions,
): Observable<StreamReply> {
  return context
    .call(
      {
        ...call,
        operation: 'stream',
        jobId: id,
        query: { wait, ...position },
        holdFor: wait ?? STREAM_WAIT,
        read: ({ text }) => parseStream(text, { id, parse: context.parse }),
      },
      options,
    )
    .pipe(
      tap(({ status }) => {
        if (isTerminalStatus(status)) context.jobs.markKnown(id, true);
      }),
    );
}
