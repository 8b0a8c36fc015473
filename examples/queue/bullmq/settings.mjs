import { Redis } from 'ioredis';
import { redisWebhooks } from 'runpod-rx/bullmq';
import { createWebhooks } from 'runpod-rx/server';

const { REDIS_URL = 'redis://127.0.0.1:6379', PUBLIC_URL = 'http://127.0.0.1:3000', WEBHOOK_SECRET } = process.env;

export const { QUEUE = 'pictures', ENDPOINT_ID } = process.env;
export const redis = new Redis(REDIS_URL, { maxRetriesPerRequest: null });
export const webhooks = createWebhooks({
  url: `${PUBLIC_URL}/hooks/runpod`,
  secret: WEBHOOK_SECRET,
  store: redisWebhooks(redis),
});
