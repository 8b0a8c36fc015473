/**
 * A worker of a queue that may be killed at any moment. Says on its standard output that it is ready; on SIGTERM, it gives its
 * jobs back and ends.
 */
import { runpod } from 'runpod-rx';
import { createWebhooks } from 'runpod-rx/server';
import { engines } from './queueEngines.mjs';

const { engine, url, place, baseUrl, ambiguous, grace, concurrency, webhookUrl } = JSON.parse(process.argv[2]);
const { start, webhooks: storeOf } = engines[engine];
const webhooks =
  webhookUrl &&
  createWebhooks({ url: webhookUrl, secret: 'a-secret-of-the-crash-test', store: await storeOf(url, place) });
const endpoint = runpod({ apiKey: 'key', baseUrl }).endpoint('demo');
const options = { ambiguous, grace, ...(webhooks && { webhooks }) };
const stop = await start(endpoint, { url, place, concurrency, options });
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
process.once('SIGTERM', async () => {
  await stop();
  process.exit(0);
});
