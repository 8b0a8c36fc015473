import { expect, test, describe } from 'vitest';
import { redisWebhooks } from 'runpod-rx/bullmq';
import { redisServer } from '../support/engines.js';
import { storeKeeps } from '../support/webhookStore.js';
import { redisClient } from './support.js';

describe.skipIf(!redisServer)('redisWebhooks', () => {
  test('keeps what a receiver of webhooks needs', async () => {
    await storeKeeps(redisWebhooks(redisClient()), redisWebhooks(redisClient()));
  });
});

test('redisWebhooks wants a client', () => {
  expect(() => redisWebhooks({} as never)).toThrow(/redis is .*it must be a client of ioredis/);
});
