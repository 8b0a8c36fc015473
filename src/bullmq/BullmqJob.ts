/** A job of BullMQ, as far as the processor needs it. */
export interface BullmqJob<Data = unknown> {
  /** Its id in its queue. */
  readonly id?: string | undefined;
  /** The name that it was added with. */
  readonly name: string;
  /** What it was added with. */
  readonly data: Data;
  /** When it was added, in milliseconds since 1970. */
  readonly timestamp: number;
  /** The prefix of the queue's keys, and its name. */
  readonly queueQualifiedName: string;
  /** How many of its attempts have failed. */
  readonly attemptsMade: number;
  /** How often its worker was lost. */
  readonly stalledCounter: number;
  /** The token of its lock, where a worker has it. */
  readonly token?: string | undefined;
  /** Stores a progress, and tells the queue's listeners. */
  updateProgress(progress: string | boolean | number | object): Promise<void>;
  /** Gives it back to the queue: another worker gets it, and no attempt is counted. */
  moveToWait(token?: string): Promise<unknown>;
}

/** A worker of BullMQ, as far as the processor needs it. */
export interface BullmqWorker {
  /** Listens to its shutdown. */
  on(event: 'closing', listener: () => void): unknown;
  /** Listens for locks that it has lost. */
  on(event: 'lockRenewalFailed', listener: (ids: string[]) => void): unknown;
  /** Listens for jobs whose result is stored. */
  on(event: 'completed', listener: (job: BullmqJob) => void): unknown;
  /** Has it take no more jobs. */
  pause?(doNotWaitActive: boolean): Promise<unknown>;
}
