/** What `/purge-queue` did. Running jobs are not touched by it. */
export interface PurgeResult {
  /** How many queued jobs were removed. */
  readonly removed: number;
  /** The service's own word for it, `completed`; not a job's state. */
  readonly status: string;
  readonly raw: Readonly<Record<string, unknown>>;
}
