import type { Observable } from 'rxjs';
import type { CallOrigin } from '../types/Activity.js';
import { querySecrets } from './querySecrets.js';

/** How far an attempt has come: it waits within the client's own limits, or it was sent. */
export type Turn = 'waiting' | 'sent';

/** What happens to one call while it is under way: shared by the functions that send it, and gone when it has ended. */
export interface CallState {
  /** Numbers the calls of a client, as `call` of each activity. */
  readonly id: number;
  /** The call of a method that this call is made for. */
  readonly origin?: CallOrigin | undefined;
  /** How often the call was sent. */
  attempt: number;
  /** Whether the server may have acted on the call: it was sent, and the answer was no refusal. */
  maybeReceived: boolean;
  /** When the call was last sent (`scheduler.now()`). */
  sentAt?: number | undefined;
  /** Called when an attempt begins to wait for its turn within the limits, and when an attempt is sent. */
  onTurn?: ((turn: Turn) => void) | undefined;
  /** Nobody waits for the answer. It is read to its end, and the call is not sent again. */
  abandoned: boolean;
  /**
   * Called when an attempt has its key and its turn, right before it is sent. The attempt is sent once it completes, and not
   * at all where it errors.
   */
  readonly beforeSend?: ((attempt: number) => Observable<never>) | undefined;
  /** Asked before each attempt: where it says so, the call serves no purpose any more and is not sent. */
  isObsolete?: () => boolean;
  /** The call is not repeated, whatever comes. */
  readonly once?: boolean | undefined;
  /**
   * What is taken out of every text about the call: the API keys that it was sent with, and what gives away the query of
   * the base URL.
   */
  readonly secrets: string[];
  /** The webhook URL of a submission. Its query is secret: whoever knows it can post there. */
  readonly webhook?: string | undefined;
  /** Until this time (`scheduler.now()`), a 404 counts as submission lag: see `submissionLag.ts`. */
  readonly lagUntil: number;
  /** The call goes before others of its operation: a job that runs costs money until its cancel is sent. */
  readonly urgent: boolean;
}

/**
 * The query of a webhook in JSON, as answers echo it: also in JSON within a text, where quotes have backslashes. The call
 * that gets the answer need not be the one that submitted the webhook.
 */
const ECHOED_QUERY = /("webhook\\*"\s*:\s*\\*"[^"?]{0,4096}\?)(?:[^"\\]|\\+(?:u[\da-f]{4}|\/))+/gi;

/** Takes a call's secrets out of a text. */
export function redact(text: string, { secrets, webhook }: Pick<CallState, 'secrets' | 'webhook'>): string {
  // JavaScript callers may give anything.
  const query = typeof webhook === 'string' ? (/\?([^#]*)/.exec(webhook)?.[1] ?? '') : '';
  // The longest first: a short one may be a part of it.
  const longestFirst = [...secrets, ...querySecrets(query)].sort((a, b) => b.length - a.length);
  const clean = longestFirst.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return clean.replace(ECHOED_QUERY, '$1***');
}
