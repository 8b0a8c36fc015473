import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faultNames } from '../../src/emulator/faults/faultKinds.js';
import { Command, folder, submit } from './command.js';

/** Sends what the banner's line for curl sends. */
async function pasteCurl(banner: string): Promise<unknown> {
  const [, url, body] = /curl -s (\S+)[^\n]* -d '([^\n]*)'/.exec(banner)!;
  const answer = await fetch(url!, { method: 'POST', body: body! });
  return answer.json();
}

test('--sample runs the endpoints of the documentation, and its banner works as pasted', async () => {
  const command = new Command('emulate --sample --port 0'.split(' '));
  const baseUrl = await command.baseUrl();
  expect(command.output).toContain('my-endpoint, my-stream, my-slow-endpoint, my-broken-endpoint, my-flaky-endpoint');
  expect(command.output).toContain(`endpoint('my-endpoint').job({ input: { prompt: 'hello' } })`);
  expect(await pasteCurl(command.output)).toMatchObject({ status: 'COMPLETED', output: { text: 'HELLO' } });
  expect(await submit(baseUrl, 'my-stream', { input: { prompt: 'a b' } })).toMatchObject({
    output: [{ text: 'a' }, { text: 'b' }],
  });
  expect(await submit(baseUrl, 'my-broken-endpoint', { input: { prompt: 'a' } })).toMatchObject({ status: 'FAILED' });
});

test('my-flaky-endpoint completes when its job is retried', async () => {
  const baseUrl = await new Command('emulate --sample --port 0'.split(' ')).baseUrl();
  const { id, status } = await submit(baseUrl, 'my-flaky-endpoint', { input: { prompt: 'a' } });
  expect(status).toBe('FAILED');
  const url = `${baseUrl}/my-flaky-endpoint`;
  await fetch(`${url}/retry/${String(id)}`, { method: 'POST' });
  await expect
    .poll(async () => (await fetch(`${url}/status/${String(id)}`)).json())
    .toMatchObject({ status: 'COMPLETED', output: { text: 'A' } });
});

test.each([
  ['a member that is read', `({ input }) => input.sentence.toUpperCase()`, 'HELLO'],
  ['members that are taken out', `({ input: { first, second = 1 } }) => first + second`, 'hellohello'],
  ['a job that is not taken apart', `(job) => job.input.title + '!'`, 'hello!'],
  ['nothing that is known', `({ input }) => Object.keys(input)`, ['prompt']],
])("the banner's example fits a handler of one's own: %s", async (_, code, output) => {
  const cwd = folder();
  writeFileSync(join(cwd, 'handlers.mjs'), `export default { mine: ${code} };`);
  const command = new Command('emulate handlers.mjs --port 0'.split(' '), { cwd });
  await command.baseUrl();
  expect(await pasteCurl(command.output)).toMatchObject({ output });
});

test.each(['emulate', 'faults'])('%s --help lists every fault', async (name) => {
  const command = new Command([name, '--help']);
  expect(await command.ended).toBe(0);
  for (const fault of faultNames) expect(command.output).toMatch(new RegExp(`^  ${fault} +\\S`, 'm'));
});

/** Resolves once a server could listen on a port; rejects if it is taken. */
function listenOn(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
  });
}

test('Ctrl-C ends it while event streams and held requests are open, and the port is free', async () => {
  const cwd = folder();
  const handler = `async function* (_, { sleep }) { for (;;) { yield { text: 'word' }; await sleep(50); } }`;
  writeFileSync(join(cwd, 'handlers.mjs'), `export default { chat: ${handler} };`);
  const command = new Command('emulate handlers.mjs --port 0'.split(' '), { cwd });
  const baseUrl = await command.baseUrl();

  const open = (path: string, body: unknown) =>
    fetch(`${baseUrl}/chat/${path}`, { method: 'POST', body: JSON.stringify(body) });
  const messages = [{ role: 'user', content: 'hello' }];
  const streams = await Promise.all(
    Array.from({ length: 3 }, () => open('openai/v1/chat/completions', { model: 'm', messages, stream: true })),
  );
  const readers = streams.map(({ body }) => body!.getReader());
  for (const reader of readers) expect((await reader.read()).done).toBe(false);
  const held = open('runsync', { input: { prompt: 'x' } }).catch((error: unknown) => error);

  expect(await command.signal('SIGINT')).toBe(0);
  expect(command.output).toContain('Stopped.');
  await listenOn(Number(new URL(baseUrl).port));
  await held;
  await Promise.all(readers.map((reader) => reader.cancel().catch(() => undefined)));
});
