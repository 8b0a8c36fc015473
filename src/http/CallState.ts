/** What is known of one call while it is on its way. */
export interface CallState {
  /** Numbers the calls of a client. */
  readonly id: number;
  /** How often the call was sent. */
  attempt: number;
  /** Whether the server may have acted on it: it was sent, and not refused for certain. */
  maybeReceived: boolean;
  /** Nobody waits for the answer any more; it is read to its end, but nothing is sent again. */
  abandoned: boolean;
  /** The keys it was sent with, to be kept out of what is said about it. */
  readonly keys: string[];
  /** Until then (`scheduler.now()`), a 404 means that the job just submitted is not known everywhere yet. */
  readonly lagUntil: number;
  /** It goes before others of its operation: each moment it waits costs. */
  readonly urgent: boolean;
}

/** Takes a call's keys out of a text. */
export function redact(text: string, { keys }: Pick<CallState, 'keys'>): string {
  return keys.reduce((clean, key) => clean.replaceAll(key, '***'), text);
}
