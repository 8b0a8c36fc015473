import type { MessageEvent } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import { EMPTY, map, of, type Observable } from 'rxjs';
import { jobOutput, type JobEvent } from '../index.js';
import { loggedBody } from './errorAnswers.js';

/** As long as a browser's timer can wait, in milliseconds: 24 days. */
const NEVER_AGAIN = 2 ** 31 - 1;

const logger = new Logger('RunpodSse');

/** Keeps a connection open. */
export const PING: MessageEvent = { type: 'ping', data: '' };

/** The frame of a job's event, where a client is told of it. Errors with the job's error where the job did not complete. */
export function frameOf(event: JobEvent): Observable<MessageEvent> {
  switch (event.type) {
    // Not `submitted`: a job that is attached to is only then known to be there.
    case 'state': {
      // Not `raw`: it may have the URL of the job's webhook.
      const { id, status, delayTime, executionTime } = event.snapshot;
      return of(frame('state', { id, status, delayTime, executionTime }));
    }
    case 'progress':
      return of(frame('progress', event.progress));
    case 'chunk':
      return of(frame('chunk', event.chunk));
    case 'gap':
      return of(frame('gap', { delivered: event.delivered }));
    case 'ended': {
      const { id, status } = event.snapshot;
      return of(event.snapshot).pipe(
        jobOutput(),
        map((output) => last(frame('end', { id, status, output }))),
      );
    }
    default:
      return EMPTY;
  }
}

/** The last frame, where there is an error. */
export function errorFrame(error: unknown): MessageEvent {
  return last(frame('error', loggedBody(error, logger)));
}

/** Always as text: of other data, Nest drops what is falsy, and cannot write a number. */
function frame(type: string, data: unknown): MessageEvent {
  // Of what no JSON has, such as `undefined`, there is no text.
  return { type, data: JSON.stringify(data === undefined ? null : data) };
}

/** Tells the client not to connect again. */
function last(event: MessageEvent): MessageEvent {
  return { ...event, retry: NEVER_AGAIN };
}
