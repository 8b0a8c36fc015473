import type { LeaseAnswer, LeaseStore } from '../budget/LeaseStore.js';
import { EXCHANGE } from './exchangeScript.js';
import type { RedisClient } from './RedisClient.js';

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
