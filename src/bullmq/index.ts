export type { BullmqJob } from './BullmqJob.js';
export { redisBudget } from './redisBudget.js';
export type { RedisClient } from './redisLeases.js';
export type { BudgetOptions } from '../budget/BudgetOptions.js';
