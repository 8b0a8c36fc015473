/** A receiver of webhooks that outlives the workers. Says where it listens on its standard output. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { webhookFolder } from 'runpod-rx/durable';
import { createWebhooks, toNode } from 'runpod-rx/server';

const { folder } = JSON.parse(process.argv[2]);
const server = createServer((request, response) => listener(request, response));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${server.address().port}/hooks`;
const webhooks = createWebhooks({
  url,
  secret: 'a-secret-of-the-crash-test',
  store: webhookFolder(join(folder, 'webhooks')),
});
const listener = toNode(webhooks.handle);
process.stdout.write(`${JSON.stringify({ url })}\n`);
