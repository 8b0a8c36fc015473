/** What a purge of the queue did. It does not affect running jobs. */
export interface PurgeResult {
  /** How many queued jobs were removed. */
  readonly removed: number;
  /** The status of the purge, `completed`, as the service wrote it. It is no job's status. */
  readonly status: string;
  readonly raw: Readonly<Record<string, unknown>>;
}
