/** When the service gives up on a job by itself. All durations in milliseconds. */
export interface JobPolicy {
  /**
   * How long the job may execute, 5 000 – 604 800 000 (7 days). The service then fails it with
   * `executionTimeout exceeded`; it was seen to do so 3–12 s late.
   * @defaultValue the endpoint's setting, 600 000
   */
  readonly executionTimeout?: number;
  /**
   * How long the job may live from submission, queue and execution together, 10 000 – 604 800 000 (7 days).
   * The service then deletes it, even while it runs.
   * @defaultValue 86 400 000 (24 hours), set by the service
   */
  readonly ttl?: number;
  /**
   * Whether the job waits for a running worker instead of starting one.
   * @defaultValue false
   */
  readonly lowPriority?: boolean;
}

/** An S3 bucket that the worker may write its results to. The client sends it as it is. */
export interface S3Config {
  readonly accessId: string;
  readonly accessSecret: string;
  readonly bucketName: string;
  readonly endpointUrl: string;
  readonly objectPath?: string;
}

/** The body of a submission. */
export interface JobRequest<I extends object = Record<string, unknown>> {
  /** What the worker's handler receives: a plain object that is not empty. */
  readonly input: I;
  /** A public https URL that the service posts the finished job to, at least once and up to three times. */
  readonly webhook?: string;
  readonly policy?: JobPolicy;
  readonly s3Config?: S3Config;
}
