import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Link } from '../../src/index.js';
import { clientNames, errorOf, expectNoKey, wire, KEY } from '../support/wire.js';

const JOB = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const script = { run: JOB, runsync: JOB, status: JOB, cancel: JOB, retry: JOB, health: { body: {} } };
const request = { input: { x: 1 } };

const unsendable: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a length': { 'content-length': '3' },
  'a length in capitals': { 'Content-Length': '3' },
  'a transfer coding': { 'transfer-encoding': 'chunked' },
  'a content coding': { 'content-encoding': 'gzip' },
  'an expectation': { expect: '100-continue' },
  'what to do with the connection': { connection: 'close' },
  'how long to keep the connection': { 'keep-alive': 'timeout=5' },
  'a host': { host: 'elsewhere.example' },
  'an upgrade': { upgrade: 'h2c' },
  'what a proxy asks for': { 'proxy-authorization': `Basic ${KEY}` },
  'a name with a blank': { 'bad name': '1' },
  'a name with a colon': { 'bad:name': '1' },
  'a name with a line break': { 'x\r\ny': '1' },
  'an empty name': { '': '1' },
  'a name beyond ASCII': { 'x-naïve': '1' },
  'a value with a line break': { 'x-user': `${KEY}\r\nx-evil: 1` },
  'a value with a zero': { 'x-user': `${KEY}\0` },
  'a value beyond Latin-1': { 'x-user': `${KEY} → Zoë` },
  'a list': { 'x-list': ['1', '2'] as never },
};

describe.each(clientNames)('%s', (name) => {
  it.each(Object.entries(unsendable))('S20 a header that cannot be sent: %s', async (_, headers) => {
    const { endpoint, server } = await wire(name, script);
    for (const call of [endpoint.run(request, { headers }), endpoint.status('job-1', { headers })]) {
      const error = await errorOf(call);
      expect(error).toMatchObject({ code: 'validation', accepted: 'no', retryable: false });
      expect(error.issues).toMatchObject([{ field: expect.stringMatching(/^headers/) as unknown }]);
      expectNoKey(error);
    }
    expect(server.seen()).toEqual([]);
  });

  it.each(Object.entries(unsendable))('S20 a header of a link that cannot be sent: %s', async (_, headers) => {
    const link: Link = (asked, next) => next({ ...asked, headers: { ...asked.headers, ...headers } });
    const { endpoint, server } = await wire(name, script, { links: [link] });
    expect(await errorOf(endpoint.run(request))).toMatchObject({ code: 'validation', accepted: 'no' });
    expect(server.seen()).toEqual([]);
  });

  it('S20 sends the headers that HTTP allows', async () => {
    const { endpoint, server } = await wire(name, script);
    const headers = { 'X-Trace': 'a b\tc', "x!#$%&'*+-.^_`|~0": '1', 'x-user': ' Zoë ', 'x-none': undefined as never };
    await firstValueFrom(endpoint.run(request, { headers }));
    expect(server.seen()[0]?.headers).toMatchObject({ 'x-trace': 'a b\tc', "x!#$%&'*+-.^_`|~0": '1' });
    expect(server.seen()[0]?.headers['x-user']).toBe('Zoë');
    expect(server.seen()[0]?.headers).not.toHaveProperty('x-none');
  });

  it.each([
    ['a Headers', new Headers({ 'X-Trace': 'abc' })],
    ['a Map', new Map([['X-Trace', 'abc']])],
    ['a list of pairs', [['X-Trace', 'abc']] as const],
  ])('S20 sends the headers of %s', async (_, headers) => {
    const { endpoint, server } = await wire(name, script);
    await firstValueFrom(endpoint.run(request, { headers: headers as Iterable<readonly [string, string]> }));
    expect(server.seen()[0]?.headers['x-trace']).toBe('abc');
    expect(await errorOf(endpoint.run(request, { headers: new Map([['host', 'x']]) }))).toMatchObject({
      code: 'validation',
    });
  });

  it('S20 a POST without a body has no content type and the length 0', async () => {
    const { endpoint, server } = await wire(name, { ...script, 'purge-queue': { body: { removed: 0 } } });
    await firstValueFrom(endpoint.cancel('job-1'));
    await firstValueFrom(endpoint.retry('job-1'));
    await firstValueFrom(endpoint.purgeQueue());
    for (const { method, headers, body } of server.seen()) {
      expect([method, body, headers['content-length']]).toEqual(['POST', '', '0']);
      expect(headers).not.toHaveProperty('content-type');
      expect(headers).not.toHaveProperty('transfer-encoding');
    }
  });

  it('S20 a read has neither a content type nor a length', async () => {
    const { endpoint, server } = await wire(name, script);
    await firstValueFrom(endpoint.status('job-1'));
    expect(server.seen()[0]?.headers).not.toHaveProperty('content-type');
    expect(server.seen()[0]?.headers).not.toHaveProperty('content-length');
  });

  it('S20 a content type of the caller is sent', async () => {
    const { endpoint, server } = await wire(name, script);
    await firstValueFrom(endpoint.cancel('job-1', { headers: { 'Content-Type': 'application/json' } }));
    expect(server.seen()[0]?.headers['content-type']).toBe('application/json');
  });
});
