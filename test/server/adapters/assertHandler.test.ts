import { expect, test } from 'vitest';
import { createWebhooks, toExpress, toFastify, toHono, toNode } from 'runpod-rx/server';

const webhooks = createWebhooks({ url: 'https://example.com/hooks', secret: 'by-chance-4f1c9e7a2b' });

test.each([
  ['toNode', toNode],
  ['toExpress', toExpress],
  ['toFastify', toFastify],
  ['toHono', toHono],
])('%s says at once what is no handler', (operation, adapter) => {
  for (const given of [webhooks, undefined])
    expect(() => adapter(given as never)).toThrow(
      expect.objectContaining({
        code: 'configuration',
        operation,
        message: expect.stringContaining(
          'it must be a handler: what createProxy makes, or the function handle of createWebhooks',
        ),
      }) as Error,
    );
  expect(() => adapter(webhooks.handle)).not.toThrow();
});
