import { Observable, asyncScheduler, concatMap, timeout } from 'rxjs';
import type { EventNoticesOptions } from './EventNoticesOptions.js';
import { SseParser, type SseEvent } from './SseParser.js';

/** A connection that brings no event within this time counts as none, in milliseconds: something on the way collects them. */
const FIRST_EVENT = 5_000;

/** A connection that is silent for so long is broken, in milliseconds: the server says each 15 s that it is alive. */
const SILENCE = 40_000;

/** How long a server is left alone at most, in milliseconds: a day. A timer of some 25 days and more would fire at once. */
const MAX_RETRY_AFTER = 86_400_000;

/** Why a connection broke, where the server has said so. */
export class Break extends Error {
  readonly status: number;
  /** How long the server wants to be left alone, in milliseconds: a day at most. */
  readonly retryAfter: number;

  constructor(status = 0, retryAfter = 0) {
    super('the events broke off');
    this.status = status;
    this.retryAfter = Math.min(MAX_RETRY_AFTER, retryAfter) || 0;
  }
}

/** Connects once. Emits the events, and errors when the connection breaks. Unsubscribing ends it. */
export function connection(
  url: string,
  options: EventNoticesOptions,
  position: string | undefined,
): Observable<SseEvent> {
  const { scheduler = asyncScheduler } = options;
  const parser = new SseParser();
  return textOf(url, options, position).pipe(
    timeout({ each: SILENCE, scheduler }),
    concatMap((text) => parser.push(text)),
    timeout({ first: FIRST_EVENT, scheduler }),
  );
}

function textOf(url: string, options: EventNoticesOptions, position: string | undefined): Observable<string> {
  const { fetch: send = globalThis.fetch, headers, credentials = 'same-origin' } = options;
  return new Observable((subscriber) => {
    const leaving = new AbortController();
    const { signal } = leaving;
    subscriber.add(() => {
      leaving.abort();
    });
    const read = async () => {
      const all = {
        accept: 'text/event-stream',
        ...(position && { 'last-event-id': position }),
        ...(typeof headers === 'function' ? await headers() : headers),
      };
      const response = await send(url, { headers: all, credentials, cache: 'no-store', signal });
      const { status, body } = response;
      if (status !== 200 || !body) throw new Break(status, Number(response.headers.get('retry-after')) * 1000);
      const parts = body.getReader();
      const decoder = new globalThis.TextDecoder();
      for (;;) {
        const { done, value } = await parts.read();
        if (done) throw new Break();
        subscriber.next(decoder.decode(value, { stream: true }));
      }
    };
    read().catch((error: unknown) => {
      subscriber.error(error);
    });
  });
}
