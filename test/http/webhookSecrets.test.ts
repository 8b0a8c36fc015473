import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { redact } from '../../src/http/CallState.js';
import { script, type Answer } from '../support/world.js';

const token = 'T0kenThatNobodyMaySee_-1';
const url = `https://example.com/hook?key=order-4711&token=${token}`;
const request = { input: { x: 1 }, webhook: url };

describe('S21 the query of a webhook is in no error and no activity', () => {
  test.each<[string, Answer]>([
    ['a refusal that echoes it', { status: 400, body: { error: `bad webhook ${url}` } }],
    ['a refusal that echoes the request', { status: 400, body: request }],
    ['a page that echoes it', { status: 502, body: `<p>${url.replace('&', '&amp;')}</p>` }],
    ['an answer that is no job and echoes it', { body: { webhook: url, error: `see ${url}` } }],
    ['an answer that is no JSON', { body: `POST ${encodeURIComponent(url)}` }],
    ['a busy service', { status: 429, body: { error: `busy: ${url}` } }],
  ])('%s', (_, answer) => {
    const { endpoint, see, until, activity } = script(() => answer, { retry: { attempts: 2 } });
    const seen = [see(endpoint.run(request)), see(endpoint.runSync(request)), see(endpoint.job(request).output$)];
    until(1_000_000);
    for (const { error } of seen) {
      expect(error).toBeDefined();
      expect(inspect(error, { depth: 10 }) + JSON.stringify(error)).not.toContain(token);
    }
    expect(activity.length).toBeGreaterThan(0);
    expect(inspect(activity, { depth: 10 })).not.toContain(token);
  });

  test('a transport that fails with it', () => {
    const transport = () => {
      throw new Error(`cannot send ${url}`);
    };
    const { client, see, activity } = script(() => 'never', { transport, retry: false });
    const { error } = see(client.endpoint('demo').run(request));
    expect(String(error)).toContain('cannot send https://example.com/hook?***');
    expect(inspect([error, activity], { depth: 10 })).not.toContain(token);
  });

  test('a read that echoes what another program submitted', () => {
    const echo = { oops: true, webhook: url };
    const { endpoint, see, until, activity } = script(() => ({ body: echo }));
    const { error } = see(endpoint.status('job-1'));
    until(1_000_000);
    expect(inspect(error, { depth: 10 })).toContain('https://example.com/hook?***');
    expect(inspect([error, activity], { depth: 10 })).not.toContain(token);
  });
});

test.each<[string, string]>([
  [JSON.stringify({ webhook: url, x: 1 }), '{"webhook":"https://example.com/hook?***","x":1}'],
  [
    JSON.stringify({ a: JSON.stringify({ webhook: url }) }),
    '{"a":"{\\"webhook\\":\\"https://example.com/hook?***\\"}"}',
  ],
  [`{"webhook":"https:\\/\\/x\\/?a\\u0026token=${token}"}`, '{"webhook":"https:\\/\\/x\\/?***"}'],
  ['{"webhook":"https://example.com/hook"}', '{"webhook":"https://example.com/hook"}'],
  ['{"webhook":"https://example.com/hook","q":"a?b"}', '{"webhook":"https://example.com/hook","q":"a?b"}'],
])('of %s is shown %s', (text, shown) => {
  expect(redact(text, { secrets: [] })).toBe(shown);
});

test('a hostile text takes no longer than its length allows', () => {
  for (const part of ['"webhook":"', '"webhook":"a?', '\\', '"webhook"'])
    expect(redact(`"webhook":"a?${part.repeat(200_000)}`, { secrets: [] }).length).toBeGreaterThan(0);
});
