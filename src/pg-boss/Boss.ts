/** An instance of pg-boss, as far as the worker needs it. */
export interface Boss {
  /** Takes jobs of a queue: they are active from then on. */
  fetch(queue: string, options: { readonly batchSize: number; readonly includeMetadata: true }): Promise<BossJob[]>;
  /** Ends a job with its result. */
  complete(queue: string, id: string, output: object): Promise<unknown>;
  /** Ends an attempt of a job with an error: the job is retried as its queue says, or has failed. */
  fail(queue: string, id: string, error: object): Promise<unknown>;
  /** The database of the queue. */
  getDb(): BossDatabase;
}

/** A job of pg-boss, as far as the worker needs it. */
export interface BossJob<Data = unknown> {
  /** A UUID. */
  readonly id: string;
  /** The name of its queue. */
  readonly name: string;
  /** What it was sent with. */
  readonly data: Data;
  /** How many of its attempts have failed. */
  readonly retryCount: number;
  /** When it was sent to the queue. */
  readonly createdOn: Date;
  /** When it was taken from the queue. */
  readonly startedOn: Date;
}

/** The database of an instance of pg-boss. */
export interface BossDatabase {
  /** Runs a statement. */
  executeSql(text: string, values: unknown[]): Promise<{ readonly rows: unknown[] } | undefined>;
}
