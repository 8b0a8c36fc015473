/** Options that every call takes. */
export interface CallOptions {
  /**
   * Limits the whole call, waiting and repeats included, in milliseconds. Over it, the call errors with
   * `RequestTimeoutError`, or `SubmissionUnknownError` where a submission was already on its way.
   * @defaultValue no limit but `requestTimeout` per attempt and the bounded number of attempts
   */
  readonly timeout?: number;
  /** Aborting it is leaving the call: as unsubscribing, and the subscriber gets an `AbortedError`. */
  readonly signal?: AbortSignal;
  /** Added to the request's headers. `authorization` is the client's own and cannot be set here. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Handed to links untouched, and never sent. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** Options of submissions. */
export interface RunOptions extends CallOptions {
  /**
   * Lets an empty `input` through. The service accepts one, but its workers never report such a job, which ends as
   * FAILED after two attempts of some 40 seconds each.
   * @defaultValue false
   */
  readonly allowEmptyInput?: boolean;
}
