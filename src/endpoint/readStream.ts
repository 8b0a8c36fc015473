import { tap, type Observable } from 'rxjs';
import { StreamInUseError } from '../errors/StreamInUseError.js';
import type { CallMeta } from '../http/ApiCall.js';
import type { CallState } from '../http/CallState.js';
import { STREAM_WAIT } from '../protocol/limits.js';
import { isTerminalStatus } from '../protocol/snapshot.js';
import { parseStream, type StreamReply } from '../protocol/streamReply.js';
import type { ReaderPosition } from '../sources/StreamCursor.js';
import { streamChunks } from '../sources/streamChunks.js';
import type { StreamEvent } from '../sources/StreamEvent.js';
import type { StreamOptions } from '../types/callOptions.js';
import { outputMismatch } from './checkOutput.js';
import type { EndpointView } from './EndpointView.js';
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

  const read = (): Observable<StreamReply> =>
    context
      .call(
        {
          ...meta,
          operation: 'stream',
          jobId: id,
          query: { wait },
          holdFor: wait ?? STREAM_WAIT,
          onStart: (state) => {
            lastCall = state;
          },
          read: ({ text }) => parseStream(text, { id, parse: context.parse }),
        },
        callOptions,
      )
      .pipe(
        tap(({ status }) => {
          if (isTerminalStatus(status)) jobs.markKnown(id, true);
        }),
      );
  const inUse = () =>
    new StreamInUseError(
      `the stream of job ${id} is being read already: share that Observable, since each chunk comes once`,
      errorContext,
    );

  return jobs.stream(id, position, inUse, (cursor) =>
    streamChunks(read, {
      status: () =>
        watchJob(context, id, { options: { ...callOptions, outage }, meta: { tag: meta.tag, origin: meta.origin } }),
      cursor,
      context: errorContext,
      scheduler: client.settings.scheduler,
      onGap,
      outage,
      reached: () => !!lastCall?.maybeReceived,
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
