/** A reference to a job, with which another process can attach to it. Plain JSON. */
export interface JobRef {
  /** The version of this format. */
  readonly v: 1;
  readonly endpointId: string;
  readonly id: string;
  /**
   * When the job was submitted, in milliseconds since 1970 by the wall clock of the machine that submitted it. For a
   * client with a scheduler of its own, `now()` of that.
   */
  readonly submittedAt?: number;
  /** How many stream chunks were delivered. */
  readonly chunks?: number;
  /** Whether chunks may be missing after the delivered ones, because a read of the stream was in flight. */
  readonly gap?: boolean;
  readonly tag?: string;
}
