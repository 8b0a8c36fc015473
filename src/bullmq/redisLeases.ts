import type { LeaseAnswer, LeaseStore } from '../budget/LeaseStore.js';
import { EXCHANGE } from './exchangeScript.js';

/** A client of Redis, as far as the budget needs it: one of `ioredis`, or a few lines around another. */
export interface RedisClient {
  /**
   * Runs a script, and resolves with what it returns.
   *
   * @param numberOfKeys - how many of the arguments are keys: they come first
   */
  eval(script: string, numberOfKeys: number, ...args: string[]): Promise<unknown>;
}

/** What the members of a budget hold, in a hash of Redis. */
export function redisLeases(redis: RedisClient, key: string): LeaseStore {
  return {
    exchange: async (name, report) => {
      const answer = await redis.eval(EXCHANGE, 1, key, name, JSON.stringify(report));
      // What the script returns.
      return JSON.parse(String(answer)) as LeaseAnswer;
    },
  };
}
