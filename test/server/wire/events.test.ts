/** Pushed events on real sockets, behind what a server has between its handlers and its clients. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import compression from 'compression';
import express from 'express';
import { firstValueFrom } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { runpod } from 'runpod-rx';
import { startEmulator } from 'runpod-rx/emulator';
import { eventNotices } from 'runpod-rx/events';
import { createProxy, toExpress } from 'runpod-rx/server';

test('an event passes compression as it comes, and ends the job on the page', async () => {
  const emulator = await startEmulator({
    endpoints: { demo: { handler: ({ input }, { delay }) => (input.ms ? delay(Number(input.ms)) : { echo: input }) } },
  });
  onTestFinished(() => emulator.close());
  const client = runpod({ baseUrl: emulator.baseUrl, apiKey: 'test-key-placeholder' });
  onTestFinished(async () => {
    await firstValueFrom(client.close());
  });
  const proxy = createProxy({
    client,
    endpoints: { demo: { operations: ['run', 'status', 'cancel'] } },
    user: () => 'ann',
    events: true,
  });
  const app = express()
    .use(compression({ threshold: 0 }))
    .use('/api/runpod', toExpress(proxy));
  const server = createServer(app as RequestListener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/runpod`;

  // `no-transform` has the events passed as they are. A `gzip` here would have to be flushed, as the adapters do.
  const { headers, body } = await fetch(`${base}/events`, { headers: { 'accept-encoding': 'gzip' } });
  expect(headers.get('content-encoding')).toBeNull();
  const decoder = new TextDecoderStream();
  const parts = body!.pipeThrough(decoder).getReader();
  onTestFinished(() => parts.cancel());
  let text = '';
  const until = async (word: string) => {
    while (!text.includes(word)) text += (await parts.read()).value ?? '';
  };
  await until('hello');
  const page = runpod({ baseUrl: base, apiKey: '', notices: eventNotices(`${base}/events`, { fetch }) });
  onTestFinished(async () => {
    await firstValueFrom(page.close());
  });
  const output = firstValueFrom(page.endpoint('demo').job({ input: { a: 1 } }).output$);
  await until('COMPLETED');
  expect(await output).toEqual({ echo: { a: 1 } });
});
