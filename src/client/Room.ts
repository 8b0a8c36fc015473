/** What keeps reads within the limits. */
export interface Room {
  /** How many may go now. Where none may, `wake` is called once one may and nobody else waits. */
  free(wake?: () => void): number;
  /** How many may go in a millisecond in the long run. */
  readonly rate: number;
  forget(wake: () => void): void;
}
