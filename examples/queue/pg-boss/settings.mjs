import PgBoss from 'pg-boss';
import { bossWebhooks } from 'runpod-rx/pg-boss';
import { createWebhooks } from 'runpod-rx/server';

const {
  DATABASE_URL = 'postgres://postgres@127.0.0.1/postgres',
  PUBLIC_URL = 'http://127.0.0.1:3000',
  WEBHOOK_SECRET,
} = process.env;

export const { QUEUE = 'pictures', ENDPOINT_ID } = process.env;
export const boss = new PgBoss({ connectionString: DATABASE_URL, schedule: false });
boss.on('error', ({ message }) => console.log(message));
await boss.start();
await boss.createQueue(QUEUE);
export const webhooks = createWebhooks({
  url: `${PUBLIC_URL}/hooks/runpod`,
  secret: WEBHOOK_SECRET,
  store: bossWebhooks(boss),
});
