import type { Observable } from 'rxjs';

/** One attempt to deliver a webhook, as it goes out. */
export interface WebhookRequest {
  readonly url: string;
  /** Lower-case names; `content-length` is up to the sender. */
  readonly headers: Readonly<Record<string, string>>;
  /** The job as JSON. */
  readonly body: string;
}

/**
 * Posts a webhook: emits the HTTP status of the answer, or errors where there was none. Unsubscribing breaks the attempt
 * off. Redirects are answers, not to be followed.
 */
export type WebhookSender = (request: WebhookRequest) => Observable<number>;

/** How webhooks are delivered. Durations are milliseconds. */
export interface WebhookOptions {
  /**
   * Posts them.
   * @defaultValue over HTTP in `runpod-rx/emulator`; in `runpod-rx/testing` none, and no webhook is sent
   */
  readonly send?: WebhookSender;
  /**
   * Hosts beside this machine that may be posted to, by name; `true`: every host.
   * @defaultValue `[]`: only `localhost` and loopback addresses
   */
  readonly allow?: true | readonly string[];
  /**
   * The pauses between the attempts; there is one more attempt than pauses. On the service 5 and 15 seconds were seen;
   * its documentation says 10 and 10.
   * @defaultValue `[5 000, 15 000]`
   */
  readonly pauses?: readonly number[];
  /**
   * How long an attempt may take.
   * @defaultValue 10 000
   */
  readonly timeout?: number;
}

/** What came of one attempt. */
export interface WebhookAttempt {
  /** When it was made, `scheduler.now()` in milliseconds. */
  readonly at: number;
  /** The HTTP status of the answer. */
  readonly status?: number;
  /** Why there was no answer, or why nothing was sent. */
  readonly failure?: string;
}
