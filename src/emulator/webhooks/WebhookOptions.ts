import type { Observable } from 'rxjs';

/** The request of one attempt to deliver a webhook. */
export interface WebhookRequest {
  readonly url: string;
  /** Lower-case names. The sender adds `content-length`. */
  readonly headers: Readonly<Record<string, string>>;
  /** The job as JSON. */
  readonly body: string;
}

/**
 * Posts a webhook. Emits the HTTP status of the answer, or errors if no answer came. Unsubscribing aborts the attempt. A
 * redirect counts as an answer and is not followed.
 */
export type WebhookSender = (request: WebhookRequest) => Observable<number>;

/** How webhooks are delivered. Durations are milliseconds. */
export interface WebhookOptions {
  /**
   * Posts the webhooks.
   * @defaultValue in `runpod-rx/emulator`, a sender over HTTP; in `runpod-rx/testing` none, and no webhook is sent
   */
  readonly send?: WebhookSender;
  /**
   * Names of other hosts that may be posted to besides this machine. `true` allows every host.
   * @defaultValue `[]`: only `localhost` and loopback addresses
   */
  readonly allow?: true | readonly string[];
  /**
   * The pauses between attempts. The number of attempts is one more than the number of pauses. On the service 5 and 15
   * seconds were seen; its documentation says 10 and 10.
   * @defaultValue `[5 000, 15 000]`
   */
  readonly pauses?: readonly number[];
  /**
   * Maximum duration of an attempt.
   * @defaultValue 10 000
   */
  readonly timeout?: number;
}

/** The outcome of one attempt to deliver a webhook. */
export interface WebhookAttempt {
  /** When the attempt was made, `scheduler.now()` in milliseconds. */
  readonly at: number;
  /** The HTTP status of the answer. */
  readonly status?: number;
  /** Why there was no answer, or why nothing was sent. */
  readonly failure?: string;
}
