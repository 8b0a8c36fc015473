import { budgetOver } from '../budget/budgetOver.js';
import { budgetTerms, checksOfBudget, type BudgetOptions } from '../budget/BudgetOptions.js';
import { invalidOptions } from '../errors/invalidOptions.js';
import type { Budget } from '../index.js';
import { checkOptions, having } from '../protocol/checkOptions.js';
import type { RedisClient } from './RedisClient.js';
import { redisLeases } from './redisLeases.js';

/**
 * A budget in Redis 5 or newer: all processes that have one, with the same name, keep within the limits of an endpoint
 * together, however many they are.
 *
 * ```ts
 * const client = runpod({ limits: { budget: redisBudget(new Redis()) } });
 * ```
 *
 * Writes the key `runpod-rx:budget:<name>`. A process asks Redis a few times in a second while it has requests, once for each
 * operation of an endpoint that it uses, and never while it has none. The connection stays yours: close it after the client.
 *
 * Throws `ConfigurationError` for options that cannot work. What Redis answers to is no error of a request: without Redis
 * they go on within `offlineShare`.
 */
export function redisBudget(redis: RedisClient, options: BudgetOptions = {}): Budget {
  const issues = [
    ...having('a client of ioredis, with a function eval', 'eval')(redis, 'redis'),
    ...checkOptions(options, checksOfBudget),
  ];
  if (issues.length) throw invalidOptions('redisBudget', issues);
  const terms = budgetTerms(options);
  return budgetOver(redisLeases(redis, `runpod-rx:budget:${terms.name}`), terms);
}
