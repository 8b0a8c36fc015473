/** A job of BullMQ, as far as the processor needs it. */
export interface BullmqJob<Data = unknown> {
  /** Its id in its queue. */
  readonly id?: string | undefined;
  /** The name that it was added with. */
  readonly name: string;
  /** What it was added with. */
  readonly data: Data;
  /** The prefix of the queue's keys, and its name. */
  readonly queueQualifiedName: string;
  /** How many of its attempts have failed. */
  readonly attemptsMade: number;
  /** How often its worker was lost. */
  readonly stalledCounter: number;
  /** Stores a progress, and tells the queue's listeners. */
  updateProgress(progress: object): Promise<void>;
  /** Gives it back to the queue: another worker gets it, and no attempt is counted. */
  moveToWait(token?: string): Promise<unknown>;
}
