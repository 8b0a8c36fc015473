import { tap, type Observable } from 'rxjs';
import { StreamInUseError } from '../errors/StreamInUseError.js';
import type { CallMeta } from '../http/ApiCall.js';
import type { CallState } from '../http/CallState.js';
import type { PushedStream } from '../polling/PushedStream.js';
import type { ReaderPosition, StreamCursor } from '../sources/StreamCursor.js';
import { streamChunks } from '../sources/streamChunks.js';
import type { StreamEvent } from '../sources/StreamEvent.js';
import type { StreamOptions } from '../types/callOptions.js';
import { outputMismatch } from './checkOutput.js';
import type { EndpointView } from './EndpointView.js';
import { readKept } from './readKept.js';
import { streamCall, type StreamCall } from './streamCall.js';
import { validate } from './validate.js';
import { watchJob } from './watchJob.js';

/** Which stream is read, and how. */
export interface StreamRead {
  readonly id: string;
  readonly options: StreamOptions;
  readonly meta?: CallMeta;
  /** How far the stream was read elsewhere; kept up to date. */
  readonly position?: ReaderPosition;
  /** Called when an answer says that the job is over. */
  readonly onJobOver?: (() => void) | undefined;
}

/** Reads a job's stream to its end, as the one reader that a job has. Emits its chunks, each checked by the schema. */
export function readStream<I extends object, O, C>(
  { context, options: { chunk: schema } }: EndpointView<I, O, C>,
  { id, options, meta = {}, position = {}, onJobOver }: StreamRead,
): Observable<StreamEvent> {
  const { wait, onGap, outage, headers, context: linkContext } = Object(options) as StreamOptions;
  const { client, jobs } = context;
  const callOptions = { headers, context: linkContext };
  const names = { operation: 'stream', jobId: id, tag: meta.tag };
  const errorContext = context.errorContext(names);
  let lastCall: CallState | undefined;
  const call: StreamCall = {
    ...meta,
    id,
    wait,
    onStart: (state) => {
      lastCall = state;
    },
  };
  const read = (cursor: StreamCursor, pushed: PushedStream) =>
    jobs.pushedStreams.isKept
      ? readKept(context, { call, callOptions, cursor, pushed })
      : streamCall(context, call, callOptions);
  const inUse = () =>
    new StreamInUseError(
      `the stream of job ${id} is being read already: share that Observable, since each chunk comes once`,
      errorContext,
    );

  return jobs.stream(id, position, inUse, (cursor, pushed) =>
    streamChunks(() => read(cursor, pushed), {
      status: () =>
        watchJob(context, id, { options: { ...callOptions, outage }, meta: { tag: meta.tag, origin: meta.origin } }),
      cursor,
      context: errorContext,
      scheduler: client.settings.scheduler,
      onGap,
      outage,
      reached: () => !!lastCall?.maybeReceived,
      keepsChunks: () => jobs.pushedStreams.isKept,
      ...(onJobOver && { ended: onJobOver }),
      check: (chunk) =>
        validate(schema, 'chunk', chunk, (issues, cause) =>
          outputMismatch(context, { issues, cause }, { jobId: id, chunk }),
        ),
    }).pipe(
      tap((event) => {
        if (event.type === 'gap')
          client.report(
            { ...names, endpointId: context.id ?? '' },
            client.newCallState({ origin: meta.origin }),
            event,
          );
      }),
    ),
  );
}
