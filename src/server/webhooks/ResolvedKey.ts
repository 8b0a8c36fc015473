/** The job that a key has become. */
export interface ResolvedKey {
  /** Your own name for the input, as it was given to `sign`. */
  readonly key: string;
  /** The id of the job. */
  readonly id: string;
}
