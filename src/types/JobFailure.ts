/** Why a job failed, read from whichever form the worker or the platform wrote it in. */
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
  /** The `error` field as it came. */
  readonly raw: unknown;
}
