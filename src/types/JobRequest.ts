/** When the service gives up on a job by itself. All durations in milliseconds. */
export interface JobPolicy {
  /**
   * How long the job may execute, 5 000 – 604 800 000 (7 days). The service then fails it with
   * `executionTimeout exceeded`; the kill was seen to come 3–12 s late.
   * @defaultValue the endpoint's setting, 600 000
   */
  readonly executionTimeout?: number;
  /**
   * How long the job may live from submission, queue and execution together, 10 000 – 604 800 000 (7 days).
   * It is then deleted, even while it runs.
   * @defaultValue 86 400 000 (24 hours), set by the service
   */
  readonly ttl?: number;
  /**
   * Do not start workers for this job.
   * @defaultValue false
   */
  readonly lowPriority?: boolean;
}

/** An S3 bucket for the worker to write its results to; passed through as it is. */
export interface S3Config {
  readonly accessId: string;
  readonly accessSecret: string;
  readonly bucketName: string;
  readonly endpointUrl: string;
  readonly objectPath?: string;
}

/** The body of a submission. */
export interface JobRequest<I extends object = Record<string, unknown>> {
  /** A plain object, not empty; what the worker's handler receives. */
  readonly input: I;
  /** A public https URL that the service posts the finished job to, at least once and up to three times. */
  readonly webhook?: string;
  readonly policy?: JobPolicy;
  readonly s3Config?: S3Config;
}
