import { describe, expect, test } from 'vitest';
import { createWebhooks, type WebhooksOptions } from 'runpod-rx/server';
import { receiver, secret, url } from './support.js';

const request = { input: { x: 1 } };
const create = (options: unknown) => () => createWebhooks(options as WebhooksOptions);
const failed = (id: string) => ({ id, status: 'FAILED', error: 'no' });

describe('sign', () => {
  test('adds the key and its token to the URL, keeps its query, and leaves the request as it was', () => {
    const { webhooks } = receiver();
    const given = Object.freeze({ ...request, policy: { ttl: 60_000 }, webhook: 'https://example.com/other' });
    const { webhook, ...rest } = webhooks.sign(given, 'order-1');
    expect(rest).toEqual({ ...request, policy: { ttl: 60_000 } });
    expect(webhook).toMatch(/^https:\/\/example\.com\/hooks\/runpod\?tenant=a%20b&key=order-1&token=[\w-]{43}$/);
  });

  test('makes the token that any HMAC-SHA-256 of the key makes', async () => {
    const encode = (text: string) => new TextEncoder().encode(text);
    const hmac = { name: 'HMAC', hash: 'SHA-256' };
    const cryptoKey = await crypto.subtle.importKey('raw', encode(secret), hmac, false, ['sign']);
    const mac = await crypto.subtle.sign('HMAC', cryptoKey, encode('runpod-rx/webhook\nöre/1'));
    const { urlOf } = receiver();
    expect(new URL(urlOf('öre/1')).searchParams.get('token')).toBe(Buffer.from(mac).toString('base64url'));
  });

  test('takes what a request inherits', () => {
    class Order {
      get input() {
        return { x: 2 };
      }
    }
    expect(receiver().webhooks.sign(new Order(), 'a')).toMatchObject({ input: { x: 2 } });
  });

  test.each([
    'https://example.com',
    'https://example.com/?',
    'https://example.com/#part',
    'http://127.0.0.1:8080/hook',
  ])('works with %s', async (given) => {
    const { urlOf, post, resolved } = receiver({ url: given });
    expect(urlOf('a')).not.toContain('#');
    expect(await post(urlOf('a'), failed('job-1'))).toBe(200);
    expect(resolved).toEqual([{ key: 'a', id: 'job-1' }]);
  });

  test.each(['a', 'öre/1?&=#+ %41', '\u{1f600}', '\0', '__proto__', 'x'.repeat(256), ' '])(
    'carries the key %j',
    async (key) => {
      const { urlOf, post, resolved } = receiver();
      expect(await post(urlOf(key), failed('job-1'))).toBe(200);
      expect(resolved).toEqual([{ key, id: 'job-1' }]);
    },
  );

  test.each(['', 'x'.repeat(257), '\ud800', 1, undefined, null])('refuses the key %j', (given) => {
    const { webhooks } = receiver();
    const key = given as string;
    for (const call of [() => webhooks.sign(request, key), () => webhooks.submitted(key, 'job-1')]) {
      expect(call).toThrow(/key is [a-z ]+: it must be text of 1 to 256 characters/);
      expect(call).toThrow(expect.objectContaining({ code: 'configuration' }));
    }
  });
});

describe('options', () => {
  test.each<[string, unknown, RegExp]>([
    ['no URL', { secret }, /url is undefined: it must be an https URL/],
    ['a relative URL', { url: '/hooks', secret }, /url is text: it must be/],
    ['plain http to elsewhere', { url: 'http://example.com/?s=hidden', secret }, /url is text: it must be/],
    ['another protocol', { url: 'ftp://localhost/', secret }, /url is text: it must be/],
    ['a key in the query', { url: 'https://example.com/?key=a', secret }, /without a key or a token/],
    ['a token in the query', { url: 'https://example.com/?token=a', secret }, /without a key or a token/],
    ['no secret', { url, secret: undefined }, /secret is undefined: it must be text of at least 16 characters/],
    ['a short secret', { url, secret: 'hidden-hidden-1' }, /secret is text: it must be/],
    ['no secrets', { url, secret: [] }, /secret is an array: it must be/],
    ['a short secret in a list', { url, secret: [secret, 'hidden'] }, /secret is an array: it must be/],
    ['a store without add', { url, secret, store: { get: () => '', set: () => '' } }, /store is .*get, set and add/],
    ['no bytes', { url, secret, maxBody: 0 }, /maxBody is 0/],
    ['a parser that is none', { url, secret, parse: {} }, /parse is an object/],
    ['a misspelt name', { url, secret, maxbody: 5 }, /maxbody is a number: it is unknown: did you mean maxBody\?/],
    ['nothing', undefined, /url is undefined/],
  ])('with %s are refused, and no secret is quoted', (_, options, message) => {
    expect(create(options)).toThrow(message);
    expect(create(options)).toThrow(expect.objectContaining({ code: 'configuration' }));
    expect(create(options)).not.toThrow(/hidden/);
  });

  test('of a job are checked where it is told', () => {
    expect(() => receiver().webhooks.submitted('a', '../x')).toThrow(/id is \.\.\/x/);
  });
});

describe('several secrets', () => {
  test('the first signs, and all verify', async () => {
    const [older, newer] = ['the-older-secret-of-both', 'the-newer-secret-of-both'];
    const before = receiver({ secret: older });
    const during = receiver({ secret: [newer, older] });
    const after = receiver({ secret: [newer] });
    expect(during.urlOf('a')).toBe(after.urlOf('a'));
    expect(await during.post(before.urlOf('a'), failed('job-1'))).toBe(200);
    expect(await during.post(after.urlOf('b'), failed('job-2'))).toBe(200);
    expect(await after.post(before.urlOf('a'), failed('job-1'))).toBe(403);
    // The client knows the job by the URL that it was submitted with.
    expect(during.told()[0]).toMatchObject({ vouched: 'url', webhook: before.urlOf('a') });
  });
});
