import { catchError, defer, map, of, switchMap, throwError, timer, type Observable, type SchedulerLike } from 'rxjs';
import { RunpodError } from '../errors/RunpodError.js';
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
export interface RepeatContext {
  readonly scheduler: SchedulerLike;
  /** A number from 0 up to 1, as `Math.random`. */
  readonly random: () => number;
  /** Told of each repeat before its pause. */
  readonly report: (delay: number, reason: string) => void;
}

/** The longest `Retry-After` that is obeyed, in milliseconds. */
export const MAX_RETRY_AFTER = 60_000;

/** Pause before a just submitted job is asked for again. */
const LAG_PAUSE = 500;

type Outcome = { readonly reply: Reply } | { readonly error: unknown };

/**
 * Sends a request, and again where that is safe: anything that failed for reads and cancels; for submissions, streams
 * and purges only what the server cannot have acted on (429, or a connection never made).
 */
export function repeat(
  request: CallRequest,
  next: Handler,
  trace: Trace,
  { attempts = 4, base = 500, max = 10_000, maxRetryAfter = MAX_RETRY_AFTER }: RetryOptions,
  { scheduler, random, report }: RepeatContext,
): Observable<Reply> {
  const { careful } = operationRow(request.operation, request.method);

  const pauseAfter = (outcome: Outcome, failures: number): number | undefined => {
    if ('reply' in outcome) {
      const { status, headers } = outcome.reply;
      if (status !== 429 && (careful || (status !== 408 && status < 500))) return undefined;
      const asked = retryAfterOf(headers, scheduler.now());
      if (asked !== undefined) return failures < attempts && asked <= maxRetryAfter ? asked : undefined;
    } else if (!isRepeatable(outcome.error, careful)) return undefined;
    return failures < attempts ? random() * Math.min(max, base * 2 ** (failures - 1)) : undefined;
  };

  const attempt = (failures: number): Observable<Reply> =>
    defer(() => next(request)).pipe(
      map((reply): Outcome => ({ reply })),
      catchError((error: unknown) => of<Outcome>({ error })),
      switchMap((outcome) => {
        const lagging = isLag(outcome, trace, scheduler);
        const pause = trace.left ? undefined : lagging ? LAG_PAUSE : pauseAfter(outcome, failures);
        if (pause === undefined) return 'reply' in outcome ? of(outcome.reply) : throwError(() => outcome.error);
        report(pause, reasonOf(outcome, trace));
        return timer(Math.min(MAX_TIMER, pause), scheduler).pipe(
          switchMap(() => attempt(lagging ? failures : failures + 1)),
        );
      }),
    );

  return attempt(1);
}

/** A job just submitted may not be known everywhere yet. An endpoint that is not found will not come. */
function isLag(outcome: Outcome, trace: Trace, scheduler: SchedulerLike): boolean {
  return (
    'reply' in outcome &&
    outcome.reply.status === 404 &&
    scheduler.now() < trace.lagUntil &&
    !isEndpointMissing(outcome.reply.text)
  );
}

function isRepeatable(error: unknown, careful: boolean): boolean {
  if (error instanceof ConnectionError) return !careful || error.phase === 'connect';
  return !careful && error instanceof RequestTimeoutError;
}

function reasonOf(outcome: Outcome, trace: Trace): string {
  if ('reply' in outcome)
    return `${outcome.reply.status} ${bodyMessage(redact(outcome.reply.text, trace)) ?? ''}`.trim();
  return outcome.error instanceof RunpodError ? outcome.error.message : 'failed';
}
