import { assertOptions } from '../errors/invalidOptions.js';
import { having, required } from '../protocol/checkOptions.js';
import type { WebhookStore } from '../server/webhooks/WebhookStore.js';
import type { RedisClient } from './RedisClient.js';

const GET = `return redis.call('GET', KEYS[1])`;

const SET = `return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])`;

const ADD = `
  local found = redis.call('GET', KEYS[1])
  if not found then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
  return found
`;

/**
 * A store for `createWebhooks` in Redis: for receivers of webhooks and workers on any number of machines.
 *
 * ```ts
 * const webhooks = createWebhooks({ url, secret, store: redisWebhooks(redis) });
 * ```
 *
 * Its keys begin with `runpod-rx:webhooks:`, and expire by themselves.
 */
export function redisWebhooks(redis: RedisClient): WebhookStore {
  assertOptions('redisWebhooks', { redis }, { redis: required(having('a client of ioredis', 'eval')) });
  const keyOf = (name: string) => `runpod-rx:webhooks:${name}`;
  // What the scripts give: a text or nothing.
  const run = (script: string, name: string, ...values: string[]) =>
    redis.eval(script, 1, keyOf(name), ...values) as Promise<string | null>;
  return {
    get: (name) => run(GET, name),
    set: (name, value, keepFor) => run(SET, name, value, String(Math.ceil(keepFor))),
    add: (name, value, keepFor) => run(ADD, name, value, String(Math.ceil(keepFor))),
  };
}
