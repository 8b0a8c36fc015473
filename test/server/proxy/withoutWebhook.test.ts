import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withoutWebhook } from '../../../src/server/proxy/withoutWebhook.js';

const url = 'https://hooks.example/?key=order-1&token=secret-token';

test.each([
  [`{"id":"a","webhook":"${url}"}`, '{"id":"a"}'],
  [`{"webhook":"${url}","id":"a"}`, '{"id":"a"}'],
  [`{"webhook":"${url}"}`, '{}'],
  [`{"webhookV2":"${url}","id":"a","webhook":null}`, '{"id":"a"}'],
  [`{ "id" : "a" ,\n "webhook" : "${url}" ,\n "n" : 1.0 }`, '{ "id" : "a" ,\n "n" : 1.0 }'],
  // The rest stays as it is written: numbers that JavaScript cannot hold, and what a worker says of webhooks.
  [
    `{"output":[12345678901234567890,1e400,{"webhook":"mine"}],"webhook":"${url}"}`,
    '{"output":[12345678901234567890,1e400,{"webhook":"mine"}]}',
  ],
  [`{"output":"\\",\\"webhook\\":\\"","webhook":"${url}"}`, '{"output":"\\",\\"webhook\\":\\""}'],
  // A name with escapes is the same name.
  [`{"id":"a","web\\u0068ook":"${url}","webhook_id":"b"}`, '{"id":"a","webhook_id":"b"}'],
])('takes the URL out of %s', (text, rest) => {
  expect(withoutWebhook(text)).toBe(rest);
});

test.each(['', '{', '{"webhook"', '["webhook"]', '"webhook"', 'null', '{"output":{"webhook":"mine"}}'])(
  'leaves %s as it is',
  (text) => {
    expect(withoutWebhook(text)).toBe(text);
  },
);

test('takes it out of any object, and nothing else', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom(0, 2),
      (before, after, indent) => {
        const rest = { ...before, ...after };
        const text = JSON.stringify({ ...before, webhook: url, ...after }, null, indent);
        const { webhook: _, webhookV2: __, ...expected } = rest;
        expect(JSON.stringify(JSON.parse(withoutWebhook(text)))).toBe(JSON.stringify(expected));
      },
    ),
  );
});
