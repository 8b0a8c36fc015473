import { asyncScheduler, interval, map, merge } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Answer } from '../../index.js';
import { PAGE_HEADERS } from './servePage.js';

/** Milliseconds between two comments, which show that a connection is alive. */
const HEARTBEAT_INTERVAL = 15_000;

/** An answer of server-sent events, until the client disconnects. */
export function eventAnswer(events$: Observable<string>): Answer {
  const heartbeats$ = interval(HEARTBEAT_INTERVAL, asyncScheduler).pipe(map(() => ':\n\n'));
  return {
    status: 200,
    headers: { ...PAGE_HEADERS, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
    text: '',
    body$: merge(events$, heartbeats$),
  };
}
