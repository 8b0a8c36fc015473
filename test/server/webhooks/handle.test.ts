import { describe, expect, test } from 'vitest';
import { ended, receiver } from './support.js';

type Pull = (controller: ReadableStreamDefaultController<Uint8Array>) => void;

/** A body of which nothing is made before it is read. */
const stream = (pull: Pull, cancel: () => void = () => undefined) =>
  new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 });

describe('a webhook as the service posts it', () => {
  const body =
    '{"delayTime":9533,"executionTime":88,"id":"d7c6aa87-df8d-49db-982b-8890054fe56f-u1","input":{"x":1},"output":{"echo":{"x":1}},"status":"COMPLETED","webhook":"WEBHOOK"}';

  test('is answered 200, and told with neither its URL nor its input', async () => {
    const { urlOf, send, told, resolved } = receiver();
    const webhook = urlOf('a');
    const { status, headers, body: text } = await send(webhook, { body: body.replace('WEBHOOK', webhook) });
    expect([status, text, headers.get('cache-control')]).toEqual([200, '{"ok":true}', 'no-store']);
    const id = 'd7c6aa87-df8d-49db-982b-8890054fe56f-u1';
    const job = { delayTime: 9533, executionTime: 88, id, output: { echo: { x: 1 } }, status: 'COMPLETED' };
    expect(told()).toEqual([{ vouched: 'url', webhook, job }]);
    expect(resolved).toEqual([{ key: 'a', id }]);
  });

  test('has no second effect when it comes again', async () => {
    const { urlOf, post, told, resolved } = receiver();
    for (let nth = 0; nth < 3; nth++) expect(await post(urlOf('a'), ended('job-1'))).toBe(200);
    expect(told().map(({ vouched, job }) => [vouched, job])).toEqual([
      ['url', ended('job-1')],
      ['no', { id: 'job-1' }],
      ['no', { id: 'job-1' }],
    ]);
    expect(resolved).toHaveLength(1);
  });

  test('may come in pieces, within characters, and with any content type', async () => {
    const { urlOf, send, told } = receiver();
    const output = 'größer \u{1f600}'.repeat(9_000);
    const bytes = new TextEncoder().encode(JSON.stringify(ended('job-1', { output })));
    let sent = 0;
    const pieces = stream((controller) => {
      if (sent >= bytes.length) controller.close();
      else controller.enqueue(bytes.subarray(sent, sent + 997));
      sent += 997;
    });
    const headers = { 'content-type': 'text/plain' };
    expect((await send(urlOf('a'), { body: pieces, duplex: 'half', headers })).status).toBe(200);
    expect(told()[0]).toMatchObject({ vouched: 'url', job: { output } });
  });

  test('keeps integers beyond 2^53 with a parser for them', async () => {
    const parse = (text: string) => JSON.parse(text.replace(/:(\d{16,})/g, ':"$1"')) as unknown;
    const { urlOf, post, told } = receiver({ parse });
    await post(urlOf('a'), '{"id":"job-1","status":"COMPLETED","output":9007199254740993}');
    expect(told()[0]?.job).toMatchObject({ output: '9007199254740993' });
  });

  test.each(['FAILED', 'CANCELLED', 'TIMED_OUT'])('may tell that the job is %s', async (status) => {
    const { urlOf, post, told } = receiver();
    expect(await post(urlOf('a'), { id: 'job-1', status, error: 'no' })).toBe(200);
    expect(told()[0]?.vouched).toBe('url');
  });

  test.each(['IN_PROGRESS', 'IN_QUEUE', 'completed', 5, undefined])(
    'is a hint and binds nothing with the status %s',
    async (status) => {
      const { urlOf, post, told, resolved } = receiver();
      expect(await post(urlOf('a'), { id: 'job-2', status })).toBe(200);
      expect(told()).toEqual([{ vouched: 'no', job: { id: 'job-2' } }]);
      expect(resolved).toEqual([]);
      await post(urlOf('a'), ended('job-1'));
      expect(resolved).toEqual([{ key: 'a', id: 'job-1' }]);
    },
  );

  test('with members that are names of JavaScript is data', async () => {
    const { urlOf, post, told } = receiver();
    const hostile = '"__proto__":{"polluted":1},"constructor":{}';
    expect(await post(urlOf('a'), `{${hostile},"id":"job-1","status":"COMPLETED","output":{${hostile}}}`)).toBe(200);
    expect(told()[0]?.vouched).toBe('url');
    for (const one of [{}, told()[0]?.job]) expect((one as { polluted?: 1 }).polluted).toBeUndefined();
  });
});

describe('S26 what has no valid token is answered 403, is not read, and does nothing', () => {
  test.each<[string, (urls: { readonly a: string; readonly b: string }) => string]>([
    ['no query', ({ a }) => a.replace(/\?.*/, '')],
    ['no token', ({ a }) => a.replace(/&token=.*/, '')],
    ['an empty token', ({ a }) => a.replace(/token=.*/, 'token=')],
    ['no key', ({ a }) => a.replace('key=a&', '')],
    ['an empty key', ({ a }) => a.replace('key=a&', 'key=&')],
    ['the token of another key', ({ a, b }) => a.replace(/token=.*/, b.slice(b.indexOf('token=')))],
    ['another key', ({ a }) => a.replace('key=a', 'key=A')],
    ['a token that lacks its end', ({ a }) => a.slice(0, -1)],
    ['a token that is longer', ({ a }) => `${a}A`],
    [
      'a token with another beginning',
      ({ a }) => a.replace(/token=./, (found) => (found.endsWith('A') ? 'token=B' : 'token=A')),
    ],
    ['two keys', ({ a }) => `${a}&key=b`],
    ['two tokens', ({ a }) => `${a}&token=x`],
    ['a key that is too long', ({ a }) => a.replace('key=a', `key=${'a'.repeat(100_000)}`)],
  ])('%s', async (_, target) => {
    const { urlOf, send, told, resolved } = receiver();
    let pulled = 0;
    const body = stream((controller) => {
      pulled++;
      controller.enqueue(new Uint8Array(10));
    });
    const answer = await send(target({ a: urlOf('a'), b: urlOf('b') }), { body, duplex: 'half' });
    expect([answer.status, answer.body]).toEqual([403, '{"error":"the URL has no valid token"}']);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect([pulled, told(), resolved]).toEqual([0, [], []]);
  });
});

describe('what is no webhook does nothing', () => {
  const expectNothing = ({ told, resolved }: ReturnType<typeof receiver>) => {
    expect([told(), resolved]).toEqual([[], []]);
  };

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('405: %s', async (method) => {
    const made = receiver();
    const { status, headers } = await made.send(made.urlOf('a'), { method });
    expect([status, headers.get('allow'), headers.get('cache-control')]).toEqual([405, 'POST', 'no-store']);
    expectNothing(made);
  });

  test.each<[string, BodyInit | null]>([
    ['no body', null],
    ['an empty body', ''],
    ['text', 'hello'],
    ['half a job', '{"id":"job-1","status":"COMPLETED"'],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['a list', '[{"id":"job-1","status":"COMPLETED"}]'],
    ['null', 'null'],
    ['a number', '1'],
    ['deep nonsense', '['.repeat(1_000_000)],
    ['a job without an id', '{"status":"COMPLETED"}'],
    ['an id that is no text', '{"id":5,"status":"COMPLETED"}'],
    ['an empty id', '{"id":"","status":"COMPLETED"}'],
    ['an id that is a path', '{"id":"../job","status":"COMPLETED"}'],
    ['an id with a line feed', '{"id":"job-1\\n","status":"COMPLETED"}'],
    ['a long id', `{"id":"${'x'.repeat(501)}","status":"COMPLETED"}`],
    ['an id that is inherited', '{"__proto__":{"id":"job-1","status":"COMPLETED"}}'],
  ])('400: %s', async (_, body) => {
    const made = receiver();
    const { status, body: text } = await made.send(made.urlOf('a'), { body });
    expect(status).toBe(400);
    expect(JSON.parse(text)).toEqual({ error: expect.stringMatching(/^the body /) });
    expectNothing(made);
  });

  test('400: a parser that throws', async () => {
    const parse = () => {
      throw new Error('words of the parser');
    };
    const made = receiver({ parse });
    const { status, body } = await made.send(made.urlOf('a'), { body: '{}' });
    expect([status, body]).toEqual([400, '{"error":"the body is not JSON"}']);
  });

  test('400: a body that was read before, and one that is being read', async () => {
    const made = receiver();
    const read = new Request(made.urlOf('a'), { method: 'POST', body: '{}' });
    await read.text();
    expect(await (await made.webhooks.handle(read)).text()).toContain('put this handler before parsers');
    const locked = new Request(made.urlOf('a'), { method: 'POST', body: '{}' });
    locked.body?.getReader();
    expect((await made.webhooks.handle(locked)).status).toBe(400);
    expectNothing(made);
  });

  test('400: a body that breaks off', async () => {
    const made = receiver();
    const body = stream((controller) => {
      controller.error(new Error('gone'));
    });
    expect((await made.send(made.urlOf('a'), { body, duplex: 'half' })).status).toBe(400);
    expectNothing(made);
  });

  test('400: a request that cannot be read at all', async () => {
    const made = receiver();
    const broken = { method: 'POST', url: 'nonsense', headers: new Headers() } as Request;
    expect((await made.webhooks.handle(broken)).status).toBe(400);
  });

  test.each(['gzip', 'br', 'identity, gzip'])('415: a body in %s', async (coding) => {
    const made = receiver();
    const { status } = await made.send(made.urlOf('a'), { body: '{}', headers: { 'content-encoding': coding } });
    expect(status).toBe(415);
    expectNothing(made);
  });

  test('413: a body that says that it is too large, which is not read', async () => {
    const made = receiver({ maxBody: 100 });
    let pulled = 0;
    const body = stream(() => {
      pulled++;
    });
    const headers = { 'content-length': '101' };
    const { status } = await made.send(made.urlOf('a'), { body, duplex: 'half', headers });
    expect([status, pulled]).toEqual([413, 0]);
    expectNothing(made);
  });

  test.each([1_000, 0])('413: an endless body in pieces of %d bytes, which is cut off', async (size) => {
    const made = receiver({ maxBody: 10_000 });
    let [pulled, cancelled] = [0, 0];
    const body = stream(
      (controller) => {
        pulled++;
        controller.enqueue(new Uint8Array(size));
      },
      () => {
        cancelled++;
      },
    );
    expect((await made.send(made.urlOf('a'), { body, duplex: 'half' })).status).toBe(413);
    expect(pulled).toBeLessThanOrEqual(10_010);
    expect(cancelled).toBe(1);
    expectNothing(made);
  });

  test.each([
    [0, 200],
    [-1, 413],
  ])('a body that is as long as the largest allowed %d is answered %d', async (more, status) => {
    const text = JSON.stringify(ended('job-1'));
    const made = receiver({ maxBody: text.length + more });
    const { status: given } = await made.send(made.urlOf('a'), { body: new Blob([text]).stream(), duplex: 'half' });
    expect(given).toBe(status);
  });

  test('408: a body that does not end within half a minute', async () => {
    const made = receiver();
    let cancelled = 0;
    const body = stream(
      () => undefined,
      () => {
        cancelled++;
      },
    );
    const answer = made.send(made.urlOf('a'), { body, duplex: 'half' });
    made.until(30_000);
    expect((await answer).status).toBe(408);
    expect(cancelled).toBe(1);
    expectNothing(made);
  });
});

test('neither the token nor the key is in any answer', async () => {
  const { urlOf, send } = receiver({ maxBody: 1_000 });
  const target = urlOf('order-1');
  const token = new URL(target).searchParams.get('token')!;
  const job = JSON.stringify(ended('job-1', { webhook: target }));
  for (const [method, body] of [
    ['POST', target],
    ['POST', JSON.stringify({ id: target })],
    ['POST', job],
    ['POST', 'x'.repeat(2_000)],
    ['PUT', target],
  ] as const) {
    const answer = await send(target, { method, body });
    const headers: string[] = [];
    answer.headers.forEach((value) => headers.push(value));
    for (const hidden of [token, 'order-1']) expect([...headers, answer.body].join(' ')).not.toContain(hidden);
  }
});
