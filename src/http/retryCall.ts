import { defer, retry as retryWhile, tap, timer, type Observable, type SchedulerLike } from 'rxjs';
import { unansweredRule } from '../errors/unansweredRule.js';
import { MAX_TIMER } from '../protocol/limits.js';
import { operationRow } from '../protocol/operations.js';
import { parseRetryAfter } from '../protocol/parseRetryAfter.js';
import { bodyMessage, isEndpointMissing } from '../protocol/message.js';
import { mayRepeat, statusRule } from '../protocol/statusRules.js';
import type { CallRequest } from '../types/Link.js';
import type { Reply } from '../types/Transport.js';
import { redact, type CallState } from './CallState.js';

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
export interface RetrySettings {
  readonly retry: RetryOptions;
  readonly scheduler: SchedulerLike;
  /** A number from 0 up to 1, as `Math.random`. */
  readonly random: () => number;
}

/** The longest `Retry-After` that is obeyed, in milliseconds. */
export const MAX_RETRY_AFTER = 60_000;

/** Pause before a just submitted job is asked for again. */
const LAG_PAUSE = 500;

/**
 * Sends a request, and again where that is safe: anything that failed for reads and cancels; for submissions, streams
 * and purges only what the server cannot have acted on (429, or a connection never made).
 *
 * @param attempt - sends it once each time that it is subscribed to
 * @param report - told of each repeat before its pause
 */
export function retryCall(
  attempt: Observable<Reply>,
  { operation, method }: CallRequest,
  trace: CallState,
  { retry, scheduler, random }: RetrySettings,
  report: (delay: number, reason: string) => void,
): Observable<Reply> {
  const { attempts = 4, base = 500, max = 10_000, maxRetryAfter = MAX_RETRY_AFTER } = retry;
  const { careful } = operationRow(operation, method);

  return defer(() => {
    let failures = 0;

    /** How long to wait before the next attempt, if there is one. */
    const pause = (asked?: number): number | undefined => {
      if (trace.abandoned || ++failures >= attempts) return undefined;
      if (asked === undefined) return random() * Math.min(max, base * 2 ** (failures - 1));
      return asked <= maxRetryAfter ? asked : undefined;
    };

    /** The same after an answer. */
    const pauseAfter = ({ status, headers, text }: Reply): number | undefined => {
      const now = scheduler.now();
      // A job just submitted may not be known everywhere yet. An endpoint that is not found will not come.
      const lagging = status === 404 && now < trace.lagUntil && !isEndpointMissing(text);
      if (lagging) return trace.abandoned ? undefined : LAG_PAUSE;
      return mayRepeat(statusRule(status), careful) ? pause(parseRetryAfter(headers, now)) : undefined;
    };

    /** The same after a request without an answer. */
    const pauseAfterFailure = (error: unknown): number | undefined => {
      const rule = unansweredRule(error);
      return rule && mayRepeat(rule, careful) ? pause() : undefined;
    };

    return attempt.pipe(
      tap((reply) => {
        const wait = reply.status < 300 ? undefined : pauseAfter(reply);
        if (wait === undefined) return;
        throw new Again(wait, `${reply.status} ${bodyMessage(redact(reply.text, trace)) ?? ''}`.trim());
      }),
      retryWhile({
        delay: (error: unknown) => {
          const wait = error instanceof Again ? error.pause : pauseAfterFailure(error);
          if (wait === undefined) throw error;
          report(wait, (error as Error).message);
          return timer(Math.min(MAX_TIMER, wait), scheduler);
        },
      }),
    );
  });
}

/** An answer that is to be followed by another attempt. */
class Again extends Error {
  readonly pause: number;

  constructor(pause: number, message: string) {
    super(message);
    this.pause = pause;
  }
}
