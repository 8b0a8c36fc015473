export type { Boss, BossDatabase, BossJob } from './Boss.js';
export type { BossEvent } from './BossDelivery.js';
export { bossWebhooks } from './bossWebhooks.js';
export { createWorker, type BossWorker } from './createWorker.js';
export type { WorkerOptions } from './WorkerOptions.js';
export type { QueueJobOptions } from '../queues/QueueJobOptions.js';
