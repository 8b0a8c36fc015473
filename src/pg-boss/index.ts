export type { Boss, BossDatabase, BossJob } from './Boss.js';
export type { BossEvent } from './BossDelivery.js';
export { bossWebhooks } from './bossWebhooks.js';
export { createWorker, type BossWorker } from './createWorker.js';
export { postgresBudget } from './postgresBudget.js';
export type { PostgresQueries } from './postgresLeases.js';
export type { WorkerOptions } from './WorkerOptions.js';
export type { BudgetOptions } from '../budget/BudgetOptions.js';
export type { QueueJobOptions } from '../queues/QueueJobOptions.js';
