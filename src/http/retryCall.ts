import { defer, map, retry as retryOn, timer, type Observable, type SchedulerLike } from 'rxjs';
import { unansweredRule } from '../errors/unansweredRule.js';
import { MAX_RETRY_AFTER, MAX_TIMER } from '../protocol/limits.js';
import { operationRow } from '../protocol/operations.js';
import { parseRetryAfter } from '../protocol/parseRetryAfter.js';
import { bodyMessage } from '../protocol/message.js';
import { mayRepeat, statusRule, type OutcomeRule } from '../protocol/statusRules.js';
import type { CallRequest } from '../types/Link.js';
import type { Reply } from '../types/Transport.js';
import { redact, type CallState } from './CallState.js';
import { lagPause } from './submissionLag.js';

/** How a failed request is repeated. */
export interface RetryOptions {
  /**
   * How often a call is sent at most. The 404 of a job just submitted does not count: for ten seconds the job may not be
   * known to all of the service's machines, and the call is sent again. At least 1; `Infinity` sends it until it is
   * answered.
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
   * Upper bound of all pauses, in milliseconds; `Infinity` for none.
   * @defaultValue 10 000
   */
  readonly max?: number;
  /**
   * The longest `Retry-After` that is obeyed, in milliseconds: it makes a pause longer, and never shorter. A longer one is reported as `RateLimitError`, or
   * `HttpError`, with `retryAfter`. `Infinity` obeys any.
   * @defaultValue 60 000
   */
  readonly maxRetryAfter?: number;
}

/** What `retryCall` needs of its client. */
export interface RetrySettings {
  readonly retry: RetryOptions;
  readonly scheduler: SchedulerLike;
  /**
   * The wall clock, in milliseconds since 1970.
   * @defaultValue that of the scheduler
   */
  readonly wallNow?: () => number;
  /** A number from 0 up to 1, as `Math.random`. */
  readonly random: () => number;
  /** Called before the pause of each repeat, with the pause in milliseconds and the reason. */
  readonly onRepeat: (delay: number, reason: string) => void;
}

/**
 * Sends a call, and again where that is safe: reads and cancels after any failure that may pass; submissions, streams and
 * purges only where the server cannot have acted on the request (429, or a connection never made).
 *
 * @param attempt - sends the call once for each subscription
 */
export function retryCall(
  attempt: Observable<Reply>,
  { operation, method }: CallRequest,
  state: CallState,
  { retry, scheduler, wallNow = () => scheduler.now(), random, onRepeat }: RetrySettings,
): Observable<Reply> {
  const { attempts = 4, base = 500, max = 10_000, maxRetryAfter = MAX_RETRY_AFTER } = retry;
  const { careful } = operationRow(operation, method);

  return defer(() => {
    let failures = 0;

    /** How long to wait before the next attempt after this outcome; `undefined` where there is none. */
    const pauseAfter = (rule: OutcomeRule, retryAfter = 0): number | undefined => {
      if (!mayRepeat(rule, careful)) return undefined;
      failures++;
      if (failures >= attempts || retryAfter > maxRetryAfter) return undefined;
      const backOff = random() * Math.min(max, base * 2 ** (failures - 1));
      // The service may ask for a longer pause, and not for a shorter one.
      return Math.max(backOff, retryAfter);
    };

    const pauseAfterReply = (reply: Reply): number | undefined => {
      if (reply.status < 300) return undefined;
      const lag = lagPause(reply, scheduler.now(), state.lagUntil);
      return lag ?? pauseAfter(statusRule(reply.status), parseRetryAfter(reply.headers, wallNow()));
    };

    const pauseAfterError = (error: unknown): number | undefined => {
      const rule = unansweredRule(error);
      return rule && pauseAfter(rule);
    };

    return attempt.pipe(
      map((reply) => {
        const pause = state.abandoned || state.once ? undefined : pauseAfterReply(reply);
        if (pause === undefined) return reply;
        throw new RepeatAfter(pause, reasonOf(reply, state));
      }),
      retryOn({
        delay: (error: unknown) => {
          let pause: number | undefined;
          if (error instanceof RepeatAfter) pause = error.pause;
          else if (!state.abandoned && !state.once) pause = pauseAfterError(error);
          if (pause === undefined) throw error;
          onRepeat(pause, (error as Error).message);
          return timer(Math.min(MAX_TIMER, pause), scheduler);
        },
      }),
    );
  });
}

/** Thrown in place of an answer that is followed by another attempt. */
class RepeatAfter extends Error {
  readonly pause: number;

  constructor(pause: number, reason: string) {
    super(reason);
    this.pause = pause;
  }
}

function reasonOf({ status, text }: Reply, state: CallState): string {
  return `${status} ${bodyMessage(redact(text, state)) ?? ''}`.trim();
}
