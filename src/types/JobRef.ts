/** Names a job so that another process can go on with it. Plain JSON. */
export interface JobRef {
  /** Version of this form. */
  readonly v: 1;
  readonly endpointId: string;
  readonly id: string;
  /** Milliseconds since the epoch of the client's scheduler. */
  readonly submittedAt?: number;
  /** How many stream chunks were delivered. */
  readonly chunks?: number;
  /** Whether chunks may be missing behind those that were delivered: a read of the stream was on its way. */
  readonly gap?: boolean;
  readonly tag?: string;
}
