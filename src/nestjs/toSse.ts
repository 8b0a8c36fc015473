import type { MessageEvent } from '@nestjs/common';
import {
  asyncScheduler,
  catchError,
  concat,
  concatMap,
  EMPTY,
  interval,
  map,
  of,
  startWith,
  switchMap,
  tap,
} from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import type { Job } from '../index.js';
import { errorFrame, frameOf, PING } from './sseFrames.js';

/** How often a connection gets something to carry, in milliseconds: many gateways end one that is silent for a minute. */
const HEARTBEAT = 15_000;

/** Options of {@link toSse}. */
export interface SseOptions {
  /**
   * What becomes of the job when the client leaves before the end: `cancel` cancels it, `detach` has it go on. Both concern
   * the job, whoever else views it. A shutdown of the application is no disconnect: then the job's `onUnsubscribe` counts.
   * @defaultValue as unsubscribing from the job does: a job of `job()` is cancelled, and one of `attach()` goes on, unless
   *   their `onUnsubscribe` says otherwise
   */
  readonly onDisconnect?: 'cancel' | 'detach';
  /**
   * How long the connection may be silent, in milliseconds, before an event `ping` is sent. `Infinity` sends none.
   * @defaultValue 15 000
   */
  readonly heartbeat?: number;
  /**
   * Runs the timer of `heartbeat`.
   * @defaultValue `asyncScheduler`
   */
  readonly scheduler?: SchedulerLike;
}

/**
 * A job's events as server-sent events, for a route with `@Sse()`. The data of each is JSON:
 *
 * | event | data |
 * | --- | --- |
 * | `state` | `{ id, status, delayTime?, executionTime? }`: the first event, once the job is submitted |
 * | `progress`, `chunk` | what the worker sent; chunks with the job's option `stream: true` |
 * | `gap` | `{ delivered }`: chunks may be missing here |
 * | `ping` | nothing: it keeps the connection open |
 * | `end` | `{ id, status, output }`: the last event of a job that completed |
 * | `error` | `{ statusCode, message, code, jobId?, accepted? }`: the last event of any other |
 *
 * ```ts
 * @Sse('jobs/:id/events')
 * events(@Param('id') id: string) {
 *   return toSse(this.endpoint.attach(id, { stream: true }));
 * }
 * ```
 *
 * It never errors: Nest has sent the head of its answer by then, so what goes wrong is the last event. When the client leaves, Nest
 * unsubscribes, and `onDisconnect` decides what becomes of the job. The last event tells a browser's `EventSource` not to
 * connect again: that would call the route again, and a route that submits a job would pay for another. It does connect
 * again when the connection breaks, so let it only call routes that attach.
 */
export function toSse(job: Job, options: SseOptions = {}): Observable<MessageEvent> {
  const { onDisconnect, heartbeat = HEARTBEAT, scheduler = asyncScheduler } = options;
  const pings$ = heartbeat === Infinity ? EMPTY : interval(heartbeat, scheduler).pipe(map(() => PING));
  return job.events$.pipe(
    tap({ unsubscribe: () => leave(job, onDisconnect) }),
    concatMap((event) => frameOf(event)),
    catchError((error: unknown) => of(errorFrame(error))),
    // Silence begins with the connection, and anew with each event; after the last one there is none.
    startWith(undefined),
    switchMap((frame) => {
      if (!frame) return pings$;
      return frame.retry === undefined ? concat(of(frame), pings$) : of(frame);
    }),
  );
}

/** Acts at the call. What becomes of it is the client's to report. */
function leave(job: Job, onDisconnect: SseOptions['onDisconnect']): void {
  const ignored = { error: () => undefined };
  if (onDisconnect === 'cancel') job.cancel().subscribe(ignored);
  if (onDisconnect === 'detach') job.detach().subscribe(ignored);
}
