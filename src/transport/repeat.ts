import { catchError, defer, map, of, switchMap, throwError, timer, type Observable, type SchedulerLike } from 'rxjs';
import { ConnectionError } from '../errors/ConnectionError.js';
import { RequestTimeoutError } from '../errors/RequestTimeoutError.js';
import { MAX_TIMER } from '../protocol/limits.js';
import { operationRow } from '../protocol/operations.js';
import { retryAfterOf } from '../protocol/retryAfter.js';
import { bodyMessage, isEndpointMissing } from '../protocol/message.js';
import type { CallRequest, Handler } from '../types/Link.js';
import type { Reply } from '../types/Transport.js';
import { redact, type Trace } from './Trace.js';

/** How a failed request is repeated. */
export interface RetryOptions {
  /**
   * How often a call is sent at the most. A job just submitted that answers 404 is asked for again all the same, for ten
   * seconds, because it may not be known everywhere yet.
   * @defaultValue 4
   */
  readonly attempts?: number;
  /**
   * Upper bound of the first pause in milliseconds; it doubles with each. The pause itself is drawn between 0 and the
   * bound ("full jitter"), so that many clients do not come back at once.
   * @defaultValue 500
   */
  readonly base?: number;
  /**
   * Upper bound of all pauses, in milliseconds.
   * @defaultValue 10 000
   */
  readonly max?: number;
  /**
   * The longest `Retry-After` that is obeyed, in milliseconds. A longer one is reported as `RateLimitError`, or
   * `HttpError`, with `retryAfter`.
   * @defaultValue 60 000
   */
  readonly maxRetryAfter?: number;
}

/** What repeating needs of its client. */
export interface RepeatSettings {
  readonly retry: RetryOptions;
  readonly scheduler: SchedulerLike;
  /** A number from 0 up to 1, as `Math.random`. */
  readonly random: () => number;
}

/** The longest `Retry-After` that is obeyed, in milliseconds. */
export const MAX_RETRY_AFTER = 60_000;

/** Pause before a just submitted job is asked for again. */
const LAG_PAUSE = 500;

/** What came of a request: an answer, or an error of this library. */
type Outcome = { readonly reply: Reply; readonly error?: never } | { readonly reply?: never; readonly error: unknown };

/**
 * Sends a request, and again where that is safe: anything that failed for reads and cancels; for submissions, streams
 * and purges only what the server cannot have acted on (429, or a connection never made).
 *
 * @param report - told of each repeat before its pause
 */
export function repeat(
  request: CallRequest,
  next: Handler,
  trace: Trace,
  { retry, scheduler, random }: RepeatSettings,
  report: (delay: number, reason: string) => void,
): Observable<Reply> {
  const { attempts = 4, base = 500, max = 10_000, maxRetryAfter = MAX_RETRY_AFTER } = retry;
  const { careful } = operationRow(request.operation, request.method);

  const pauseAfter = ({ reply, error }: Outcome, failures: number): number | undefined => {
    const safe = reply ? mayRepeat(reply.status, careful) : isRepeatable(error, careful);
    if (!safe || failures >= attempts) return undefined;
    const asked = reply && retryAfterOf(reply.headers, scheduler.now());
    if (asked === undefined) return random() * Math.min(max, base * 2 ** (failures - 1));
    return asked <= maxRetryAfter ? asked : undefined;
  };

  const attempt = (failures: number): Observable<Reply> =>
    defer(() => next(request)).pipe(
      map((reply): Outcome => ({ reply })),
      catchError((error: unknown) => of<Outcome>({ error })),
      switchMap((outcome) => {
        const { reply, error } = outcome;
        // A job just submitted may not be known everywhere yet. An endpoint that is not found will not come.
        const lagging = reply?.status === 404 && scheduler.now() < trace.lagUntil && !isEndpointMissing(reply.text);
        const pause = trace.left ? undefined : lagging ? LAG_PAUSE : pauseAfter(outcome, failures);
        if (pause === undefined) return reply ? of(reply) : throwError(() => error);
        report(
          pause,
          reply ? `${reply.status} ${bodyMessage(redact(reply.text, trace)) ?? ''}`.trim() : (error as Error).message,
        );
        return timer(Math.min(MAX_TIMER, pause), scheduler).pipe(
          switchMap(() => attempt(lagging ? failures : failures + 1)),
        );
      }),
    );

  return attempt(1);
}

function mayRepeat(status: number, careful: boolean): boolean {
  return status === 429 || (!careful && (status === 408 || status >= 500));
}

function isRepeatable(error: unknown, careful: boolean): boolean {
  if (error instanceof ConnectionError) return !careful || error.phase === 'connect';
  return !careful && error instanceof RequestTimeoutError;
}
