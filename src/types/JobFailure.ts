/** Why a job failed. Workers and the platform write this in several forms, and all are read into this one. */
export interface JobFailure {
  /** The cause in words. */
  readonly message: string;
  /** The class of the exception in the worker, such as `ValueError`. */
  readonly type?: string;
  readonly traceback?: string;
  readonly hostname?: string;
  readonly workerId?: string;
  /** Version of the worker SDK. */
  readonly runpodVersion?: string;
  /** The job's `error` field, as the service sent it. */
  readonly raw: unknown;
}
