import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { runpod } from 'runpod-rx';
import { createProxy, createWebhooks, type Handler } from 'runpod-rx/server';

const proxy = createProxy({
  client: runpod({ apiKey: 'key' }),
  endpoints: { demo: { operations: ['run'] } },
  user: () => 'ann',
});
const { handle } = createWebhooks({ url: 'https://example.com/hooks', secret: 'by-chance-4f1c9e7a2b' });

describe.each<[string, Handler]>([
  ['the proxy', proxy],
  ['the receiver of webhooks', handle],
])('%s, put on a framework without its adapter,', (_, handler) => {
  test.each([
    ['the request of Node and of Express', new IncomingMessage(new Socket())],
    ['the context of Hono or Koa', { req: {}, headers: {} }],
    ['nothing', undefined],
  ])('says which adapters there are, and lets no client wait: %s', async (_, request) => {
    await expect(handler(request as never)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('on Node by toNode, on Express by toExpress') as unknown,
    });
  });
});
