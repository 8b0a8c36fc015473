import { describe, expect, it } from 'vitest';
import { proxySettings } from '../../../../src/http/transports/node/proxySettings.js';

const PROXY = { HTTP_PROXY: 'http://plain.example:3128', HTTPS_PROXY: 'http://secure.example:3128' };
const via = (environment: Record<string, string>, url: string) => proxySettings(environment)?.(new URL(url))?.origin;

describe('proxySettings', () => {
  it.each([
    [{ HTTPS_PROXY: 'http://p:1' }, 'https://api.example/v2', 'http://p:1'],
    [{ https_proxy: 'http://p:1' }, 'https://api.example/v2', 'http://p:1'],
    [{ HTTP_PROXY: 'http://p:1' }, 'http://api.example/v2', 'http://p:1'],
    [{ http_proxy: 'http://p:1', HTTP_PROXY: 'http://other:1' }, 'http://api.example/v2', 'http://p:1'],
    [{ http_proxy: '', HTTP_PROXY: 'http://p:1' }, 'http://api.example/v2', 'http://p:1'],
    [{ HTTPS_PROXY: ' http://p:1\n' }, 'https://api.example/v2', 'http://p:1'],
    [{ HTTPS_PROXY: 'p.example:1' }, 'https://api.example/v2', 'http://p.example:1'],
    [{ HTTPS_PROXY: 'https://p.example' }, 'https://api.example/v2', 'https://p.example'],
    [{ HTTPS_PROXY: 'http://p:1/path/' }, 'https://api.example/v2', 'http://p:1'],
    [{ HTTP_PROXY: 'http://p:1' }, 'https://api.example/v2', undefined],
    [{ HTTPS_PROXY: 'http://p:1' }, 'http://api.example/v2', undefined],
    [{ HTTPS_PROXY: '  ' }, 'https://api.example/v2', undefined],
    [{}, 'https://api.example/v2', undefined],
  ] as [Record<string, string>, string, string | undefined][])(
    'S27 %j: %s goes through %s',
    (environment, url, origin) => {
      expect(via(environment, url)).toBe(origin);
    },
  );

  it.each([
    ['*', 'https://api.example', true],
    ['other.example,*', 'https://api.example', true],
    ['api.example', 'https://api.example', true],
    ['API.EXAMPLE', 'https://api.example', true],
    ['example', 'https://api.example', true],
    ['.example', 'https://api.example', true],
    ['*.example', 'https://api.example', true],
    ['*.api.example', 'https://api.example', true],
    ['a, api.example  b', 'https://api.example', true],
    ['xample', 'https://api.example', false],
    ['i.example', 'https://api.example', false],
    ['api.example.com', 'https://api.example', false],
    ['api.example:443', 'https://api.example', true],
    ['api.example:443', 'https://api.example:8443', false],
    ['api.example:80', 'http://api.example', true],
    ['10.1.2.3', 'https://10.1.2.3:8443', true],
    ['10.1.2.3:8443', 'https://10.1.2.3:8443', true],
    ['2.3', 'https://10.1.2.3', false],
    ['10.0.0.0/8', 'https://10.1.2.3', true],
    ['10.0.0.0/8', 'https://11.1.2.3', false],
    ['10.0.0.0/8', 'https://api.example', false],
    ['10.0.0.0/99', 'https://10.1.2.3', false],
    ['fd00::/8', 'https://[fd00::1]', true],
    ['fd00::/8', 'https://10.1.2.3', false],
    ['::2', 'https://[::2]', true],
    ['[::2]', 'https://[::2]', true],
    ['[::2]:443', 'https://[::2]', true],
    ['[::2]:444', 'https://[::2]', false],
    ['', 'https://api.example', false],
    [', ,', 'https://api.example', false],
  ])('S27 NO_PROXY=%j covers %s: %s', (noProxy, url, direct) => {
    for (const name of ['NO_PROXY', 'no_proxy'])
      expect(via({ ...PROXY, [name]: noProxy }, url) === undefined).toBe(direct);
  });

  it.each([
    'http://localhost:8000',
    'http://demo.localhost',
    'http://127.0.0.1:1',
    'http://127.9.9.9',
    'http://[::1]:1',
  ])('S27 this machine is reached directly: %s', (url) => {
    expect(via(PROXY, url)).toBeUndefined();
  });

  it.each([
    ['http://user:pass@p:1', 'user:pass'],
    ['http://user@p:1', 'user:'],
    ['http://:pass@p:1', ':pass'],
    ['http://us%40er:p%3Aass@p:1', 'us@er:p:ass'],
    ['http://100%25:100%@p:1', '100%:100%'],
  ])('S27 %s: the proxy gets %s', (given, user) => {
    const { authorization } = proxySettings({ HTTPS_PROXY: given })!(new URL('https://api.example'))!;
    expect(authorization).toBe(`Basic ${Buffer.from(user).toString('base64')}`);
  });
});
