/** Receives webhooks: by them the job is found whose submission was lost with its worker. */
import { createServer } from 'node:http';
import { toNode } from 'runpod-rx/server';

const { ENGINE = 'bullmq', PORT = '3000' } = process.env;
const { webhooks } = await import(`./${ENGINE}/settings.mjs`);

createServer(toNode(webhooks.handle)).listen(Number(PORT), '127.0.0.1');
webhooks.resolved$.subscribe(({ id }) => console.log(`webhook of ${id}`));
