import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startEmulator, type ListeningEmulator } from 'runpod-rx/emulator';

async function start(): Promise<ListeningEmulator> {
  const emulator = await startEmulator({ endpoints: { demo: { handler: ({ input }) => ({ echo: input }) } } });
  onTestFinished(() => emulator.close());
  return emulator;
}

/** Checks that the server still runs jobs. */
async function goesOn({ baseUrl }: ListeningEmulator): Promise<void> {
  const answer = await fetch(`${baseUrl}/demo/runsync`, { method: 'POST', body: '{"input":{"x":1}}' });
  expect(await answer.json()).toMatchObject({ status: 'COMPLETED', output: { echo: { x: 1 } } });
}

/** Sends raw bytes. Resolves with the server's answer once it holds `until`, or the server ends the connection. */
function raw(port: number, text: string, until: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (data) => {
      said += data.toString('latin1');
      if (said.includes(until)) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(said));
  });
}

test.each([
  ['no JSON', '{"input":'],
  ['nothing', ''],
  ['a list', '[1]'],
  ['null', 'null'],
  ['an input that is text', '{"input":"x"}'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x00])],
  ['deep nesting', '['.repeat(200_000)],
])('a body that is %s is refused with a reason', async (_, body) => {
  const emulator = await start();
  for (const operation of ['run', 'runsync']) {
    const answer = await fetch(`${emulator.baseUrl}/demo/${operation}`, { method: 'POST', body });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error: expect.stringMatching(/^bad request: \S/) });
  }
  expect(emulator.jobs()).toEqual([]);
  await goesOn(emulator);
});

test('refuses a body of 30 MiB without keeping it in memory', async () => {
  const emulator = await start();
  const body = `{"input":{"x":"${'x'.repeat(30 * 1024 * 1024)}"}}`;
  const answer = await fetch(`${emulator.baseUrl}/demo/run`, { method: 'POST', body });
  expect([answer.status, await answer.text()]).toEqual([
    400,
    '{"error":"bad request: body: exceeded max body size of 10MiB"}',
  ]);
  expect(emulator.jobs()).toEqual([]);
  await goesOn(emulator);
});

// Sent over a raw socket, since fetch would normalize these paths.
test.each([
  ['/v2/demo/../demo/health', 200],
  ['/v2/../../etc/passwd', 404],
  ['/v2/demo/status/..%2f..%2fetc%2fpasswd', 404],
  ['/v2/demo/status/%', 404],
  ['/v2/demo/status/%00', 404],
  ['/v2/demo/status/unknown', 404],
  ['/v2/__proto__/health', 404],
  ['/v2/demo/constructor', 400],
  [`/v2/demo/status/${'x'.repeat(8_000)}`, 404],
  ['//v2/demo/health', 404],
])('the path %s is answered with %i', async (path, status) => {
  const emulator = await start();
  const said = await raw(
    emulator.port,
    `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`,
    '\u0000never',
  );
  expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  await goesOn(emulator);
});

test('answers bytes that are not HTTP with 400', async () => {
  const emulator = await start();
  expect(await raw(emulator.port, 'hello there\r\n\r\n', '\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
  await goesOn(emulator);
});

test('answers an invalid URL, and goes on', async () => {
  const emulator = await start();
  const said = await raw(
    emulator.port,
    'GET http://[/v2/demo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
    '\u0000',
  );
  expect(said).toMatch(/^HTTP\/1\.1 4\d\d /);
  await goesOn(emulator);
});
