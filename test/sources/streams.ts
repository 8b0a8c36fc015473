import { catchError, of, type Observable } from 'rxjs';
import { ConnectionError, RequestTimeoutError, ResponseError } from '../../src/errors/index.js';
import type { StreamReply } from '../../src/protocol/streamReply.js';
import type { StreamEvent } from '../../src/sources/StreamEvent.js';
import { members } from '../fixtures/members.js';
import { httpError } from '../support/scripted.js';

export const chunk = (value: unknown): StreamEvent => ({ type: 'chunk', chunk: value });

/** The events in marble diagrams of streams: each letter is a chunk with the letter as its value. */
export const events: Readonly<Record<string, StreamEvent>> = {
  ...Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => [letter, chunk(letter)])),
  g: { type: 'gap', delivered: 0 },
  G: { type: 'gap', delivered: 1 },
};

export const reply = (status: string, ...chunks: readonly unknown[]): StreamReply => ({ status, chunks });

/** Answers of `/stream`, by their letters in marble diagrams. */
export const replies: Readonly<Record<string, StreamReply>> = {
  q: reply('IN_QUEUE'),
  p: reply('IN_PROGRESS'),
  a: reply('IN_PROGRESS', 'a'),
  b: reply('IN_PROGRESS', 'b'),
  c: reply('IN_PROGRESS', 'c'),
  x: reply('IN_PROGRESS', 'a', 'b', 'c'),
  /** The last chunk, with the terminal status. */
  d: reply('COMPLETED', 'd'),
  z: reply('COMPLETED'),
  f: reply('FAILED'),
};

const at = { operation: 'stream', jobId: 'j' };

/** Errors of reads that cannot have taken chunks. They are retryable. */
export const harmless = {
  'a 429': httpError(429),
  'a connection that never came about': new ConnectionError('no connection', at, { phase: 'connect', retryable: true }),
};

/** Errors of reads that may have taken chunks. They are retryable. */
export const suspect = {
  'a 408': httpError(408),
  'a 500': httpError(500),
  'a 502': httpError(502),
  'a reset': new ConnectionError('reset', at, { phase: 'sent', retryable: true }),
  'a timeout': new RequestTimeoutError('too late', at, { timeout: 25_000, retryable: true }),
  'an answer cut off': new ResponseError('cut off', at, { excerpt: '{"status":"IN_PRO', retryable: true }),
};

/** The error of a read that took chunks: the rest of its answer shows one. */
export const certain = new ResponseError('cut off', at, {
  excerpt: '{"status":"IN_PROGRESS","stream":[{"output":"b',
  retryable: true,
});

/** A stream whose error is emitted at the end as plain data: its members, message and cause. */
export function caught(stream$: Observable<StreamEvent>): Observable<unknown> {
  return stream$.pipe(
    catchError((error: Error) => of({ ...members(error), message: error.message, cause: error.cause })),
  );
}
