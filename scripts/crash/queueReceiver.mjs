/** A receiver of webhooks that outlives the workers of a queue. Says where it listens on its standard output. */
import { createServer } from 'node:http';
import { createWebhooks, toNode } from 'runpod-rx/server';
import { engines } from './queueEngines.mjs';

const { engine, url, place } = JSON.parse(process.argv[2]);
const store = await engines[engine].webhooks(url, place);
const server = createServer((request, response) => listener(request, response));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const hooks = `http://127.0.0.1:${server.address().port}/hooks`;
const listener = toNode(createWebhooks({ url: hooks, secret: 'a-secret-of-the-crash-test', store }).handle);
process.stdout.write(`${JSON.stringify({ url: hooks })}\n`);
