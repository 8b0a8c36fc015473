import { Subject } from 'rxjs';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { startEmulator } from 'runpod-rx/emulator';
import type { EmulatorOptions, ListeningEmulator } from 'runpod-rx/emulator';
import { Clock } from '../../support/wire.js';

const running: ListeningEmulator[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((emulator) => emulator.close()));
});

async function start(options: Partial<EmulatorOptions> = {}): Promise<ListeningEmulator> {
  const emulator = await startEmulator({ endpoints: { demo: { handler: () => 'done' } }, ...options });
  running.push(emulator);
  return emulator;
}

test('adds and removes faults over HTTP', async () => {
  const { url, baseUrl, faults } = await start();
  const body = JSON.stringify({ 'empty-502': 1 });
  const answer = await fetch(`${url}/__emulator/faults`, { method: 'POST', body });
  expect(answer.status).toBe(200);
  expect((await fetch(`${baseUrl}/demo/health`)).status).toBe(502);
  await fetch(`${url}/__emulator/faults/${faults.list()[0]!.id}`, { method: 'DELETE' });
  expect((await fetch(`${baseUrl}/demo/health`)).status).toBe(200);
});

test('answers the state over HTTP', async () => {
  const { url, baseUrl } = await start();
  await fetch(`${baseUrl}/demo/runsync`, { method: 'POST', body: '{"input":{"x":1}}' });
  expect(await (await fetch(`${url}/__emulator/state`)).json()).toMatchObject({
    endpoints: { demo: { jobs: { completed: 1 } } },
    requests: { total: 1, byStatus: { 200: 1 } },
  });
});

test('refuses control requests of pages of other origins, unless CORS allows the origin', async () => {
  const closed = await start();
  const send = async ({ url }: ListeningEmulator) => {
    const init = { method: 'POST', body: '{"empty-502":1}', headers: { origin: 'http://example.com' } };
    return (await fetch(`${url}/__emulator/faults`, init)).status;
  };
  expect(await send(closed)).toBe(403);
  expect(closed.faults.list()).toEqual([]);
  expect(await send(await start({ cors: 'http://example.com' }))).toBe(200);
});

test('slow-body: the answer begins at once, and its text arrives piece by piece', async () => {
  const output = 'naïve 🙂'.repeat(20);
  // Its time passes only when the test says so; what is due now runs.
  const clock = new Clock();
  const pump = setInterval(() => clock.advance(0), 5);
  onTestFinished(() => clearInterval(pump));
  const { baseUrl } = await start({
    endpoints: { demo: { handler: () => output } },
    faults: [{ fault: 'slow-body', for: 90_000 }],
    scheduler: clock,
  });
  const answer = await fetch(`${baseUrl}/demo/runsync`, { method: 'POST', body: '{"input":{"x":1}}' });
  const reader = answer.body!.getReader();
  const pieces: Uint8Array[] = [];
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    pieces.push(piece.value);
    clock.leap();
  }
  expect(pieces).toHaveLength(10);
  expect(clock.now()).toBe(90_000);
  expect(JSON.parse(Buffer.concat(pieces).toString('utf8'))).toMatchObject({ output });
});

test('slow-body: a client that disconnects ends the answer', async () => {
  const { baseUrl, state } = await start({ faults: [{ fault: 'slow-body', for: 600_000 }] });
  const leaving = new AbortController();
  const answer = await fetch(`${baseUrl}/demo/health`, { signal: leaving.signal });
  expect(answer.status).toBe(200);
  leaving.abort();
  await expect(answer.text()).rejects.toThrow();
  expect(state().requests.total).toBe(1);
});

test('the OpenAI route sends its events as they come', async () => {
  const go = new Subject<object>();
  const { baseUrl } = await start({ endpoints: { demo: { handler: () => go, stream: true } } });
  const asked = fetch(`${baseUrl}/demo/openai/v1/completions`, { method: 'POST', body: '{"stream":true}' });
  await expect.poll(() => go.observed).toBe(true);
  go.next({ index: 0 });
  const answer = await asked;
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  expect(await reader.read()).toMatchObject({ value: 'data: {"index":0}\n\n' });
  go.next({ index: 1 });
  expect(await reader.read()).toMatchObject({ value: 'data: {"index":1}\n\n' });
  go.complete();
  expect(await reader.read()).toMatchObject({ value: 'data: [DONE]\n\n' });
  expect((await reader.read()).done).toBe(true);
});
