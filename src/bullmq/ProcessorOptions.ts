import { flag, having, required, type Checks } from '../protocol/checkOptions.js';
import { checksOfQueueJobs, interval, type QueueJobOptions } from '../queues/QueueJobOptions.js';
import type { BullmqJob } from './BullmqJob.js';
import type { RedisClient } from './RedisClient.js';

/** Options of {@link createProcessor}; all durations in milliseconds. */
export interface ProcessorOptions<I extends object = Record<string, unknown>> extends QueueJobOptions<BullmqJob<I>, I> {
  /** A client of `ioredis` on the queue's Redis: the worker's own connection will do. */
  readonly redis: RedisClient;
  /**
   * Whether the progress of workers is stored with the queue's jobs. It costs reads, while the end of a job alone is a read
   * that the service holds.
   * @defaultValue true
   */
  readonly progress?: boolean;
  /**
   * How often it is looked whether a job was cancelled, and whether the worker has lost it: 100 to 2 147 483 647.
   * @defaultValue 5000
   */
  readonly heartbeat?: number;
}

export const checksOfProcessor: Checks<ProcessorOptions<object>> = {
  ...checksOfQueueJobs,
  redis: required(having('a client of ioredis', 'eval')),
  progress: flag,
  heartbeat: interval,
};
