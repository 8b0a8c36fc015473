import { count, mustBe, type Checks } from '../protocol/checkOptions.js';
import { checksOfQueueJobs, interval, type QueueJobOptions } from '../queues/QueueJobOptions.js';
import type { BossJob } from './Boss.js';

/** Options of {@link createWorker}; all durations in milliseconds. */
export interface WorkerOptions<I extends object = Record<string, unknown>> extends QueueJobOptions<BossJob<I>, I> {
  /**
   * How many jobs are followed at a time: at least 1.
   * @defaultValue 10
   */
  readonly concurrency?: number;
  /**
   * How often an idle worker looks for jobs: 100 to 2 147 483 647.
   * @defaultValue 2000
   */
  readonly pollInterval?: number;
  /**
   * How often it is said of a job that its worker is alive, and looked whether the job was cancelled: 100 to 2 147 483 647.
   * @defaultValue 5000
   */
  readonly heartbeat?: number;
  /**
   * How long a job of a worker of which nothing is heard stays its own: twice `heartbeat` at least. After that another
   * worker goes on with it. The same for all workers of a queue.
   * @defaultValue 60 000 (a minute)
   */
  readonly lease?: number;
  /**
   * The schema of pg-boss, as its own option says.
   * @defaultValue `'pgboss'`
   */
  readonly schema?: string;
}

export const schemaName = mustBe(
  'letters, digits and underscores',
  (value) => typeof value === 'string' && /^[A-Za-z_]\w*$/.test(value),
);

export const checksOfWorker: Checks<WorkerOptions<object>> = {
  ...checksOfQueueJobs,
  concurrency: count(1),
  pollInterval: interval,
  heartbeat: interval,
  lease: interval,
  schema: schemaName,
};
