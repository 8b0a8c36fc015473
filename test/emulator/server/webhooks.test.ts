import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createSocketServer, type AddressInfo, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startEmulator, type EmulatorOptions } from 'runpod-rx/emulator';

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=t`; // it listens on a port
}

/** Ends no attempt, however slow the machine is. */
const timeout = 86_400_000;

async function submit(webhook: string, webhooks: EmulatorOptions['webhooks'] = { pauses: [5, 5], timeout }) {
  const emulator = await startEmulator({
    endpoints: { demo: { handler: ({ input }) => ({ echo: input }) } },
    webhooks,
  });
  onTestFinished(() => emulator.close());
  const body = JSON.stringify({ input: { text: 'héllo' }, webhook });
  const { id } = (await (await fetch(`${emulator.baseUrl}/demo/run`, { method: 'POST', body })).json()) as {
    id: string;
  };
  /** The attempts to deliver the webhook, once there are so many. */
  const attempts = async (count: number) => {
    const made = () => emulator.jobs()[0]?.webhook ?? [];
    await expect.poll(() => made().length).toBeGreaterThanOrEqual(count);
    return made();
  };
  return { emulator, id, attempts };
}

test('a webhook arrives as the service sends it', async () => {
  const seen: { method?: string; url?: string; headers: IncomingHttpHeaders; text: string }[] = [];
  const receive: RequestListener = (request, response) => {
    const { method, url, headers } = request;
    let text = '';
    request.setEncoding('utf8').on('data', (part) => (text += String(part)));
    request.on('end', () => {
      seen.push({ ...(method && { method }), ...(url && { url }), headers, text });
      response.writeHead(seen.length < 3 ? 503 : 200).end('{"taken":true}');
    });
  };
  const url = await listen(createServer(receive));
  const { id, attempts } = await submit(url);
  expect((await attempts(3)).map(({ status }) => status)).toEqual([503, 503, 200]);
  const [{ method, url: path, headers, text }] = seen as [(typeof seen)[0]];
  expect([method, path]).toEqual(['POST', '/hook?token=t']);
  const { host: _, connection: __, ...rest } = headers;
  expect(rest).toEqual({
    'content-length': String(Buffer.byteLength(text)),
    'content-type': 'application/json',
    traceparent: expect.stringMatching(/^00-/),
    'user-agent': 'Go-http-client/2.0',
  });
  expect(Object.keys(JSON.parse(text) as object)).toEqual([
    'delayTime',
    'executionTime',
    'id',
    'input',
    'output',
    'status',
    'webhook',
  ]);
  expect(JSON.parse(text)).toMatchObject({ id, input: { text: 'héllo' }, output: { echo: { text: 'héllo' } } });
  expect(new Set(seen.map((one) => one.text)).size).toBe(1);
});

test('a redirect is not followed', async () => {
  let hits = 0;
  const url = await listen(
    createServer((_, response) => {
      hits += 1;
      response.writeHead(307, { location: 'https://example.com/' }).end();
    }),
  );
  const { attempts } = await submit(url);
  expect((await attempts(3)).map(({ status }) => status)).toEqual([307, 307, 307]);
  expect(hits).toBe(3);
});

test('a receiver that does not answer, resets the connection or does not exist fails the webhook, not the job', async () => {
  const resets = await listen(createSocketServer((socket) => socket.resetAndDestroy()));
  const first = await submit(resets);
  expect((await first.attempts(3)).map(({ failure }) => failure)).toEqual(
    Array(3).fill(expect.stringMatching(/ECONN|hang up/)),
  );

  const silent = await listen(createSocketServer((socket) => socket.on('error', () => undefined).resume()));
  const second = await submit(silent, { pauses: [1], timeout: 30 });
  expect((await second.attempts(2)).map(({ failure }) => failure)).toEqual(
    Array(2).fill(expect.stringContaining('imeout')),
  );

  const nobody = await submit('http://127.0.0.1:1/');
  expect((await nobody.attempts(3)).map(({ failure }) => failure)).toEqual(
    Array(3).fill(expect.stringContaining('ECONNREFUSED')),
  );
  for (const { emulator } of [first, second, nobody]) {
    expect(emulator.jobs()[0]).toMatchObject({ status: 'COMPLETED' });
  }
});
