export type { BullmqJob, BullmqWorker } from './BullmqJob.js';
export { cancelJob } from './cancelJob.js';
export { createProcessor, type RunpodProcessor } from './createProcessor.js';
export type { ProcessorOptions } from './ProcessorOptions.js';
export type { RedisClient } from './RedisClient.js';
export { redisWebhooks } from './redisWebhooks.js';
export { workerOptions } from './workerOptions.js';
export type { QueueJobOptions } from '../queues/QueueJobOptions.js';
