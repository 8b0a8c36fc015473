import { firstValueFrom, type Subscription } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { axiosTransport, type Transport } from 'runpod-rx';
import { fetchTransport } from 'runpod-rx/fetch';
import { undiciTransport } from 'runpod-rx/undici';
import { scriptedServer } from '../support/scriptedServer.js';

const HELD = 400;

test.each<[name: string, make: () => Transport]>([
  ['axios over undici', () => axiosTransport()],
  ['undici', () => undiciTransport()],
  ['fetch', () => fetchTransport()],
])('%s: four hundred reads that the service holds keep no other request from being answered', async (_, make) => {
  const server = await scriptedServer({ 'status-sync': 'hang', cancel: { body: { id: 'a', status: 'CANCELLED' } } });
  onTestFinished(() => server.close());
  const transport = make();
  const ask = (operation: string, method: 'GET' | 'POST') =>
    transport({ method, url: `${server.baseUrl}/demo/${operation}/a`, headers: {}, timeout: 60_000, operation });
  const held: Subscription[] = Array.from({ length: HELD }, () =>
    ask('status-sync', 'GET').subscribe({ error: () => undefined }),
  );
  await server.until(() => server.seen('status-sync').filter(({ state }) => state === 'waiting').length === HELD);
  expect(await firstValueFrom(ask('cancel', 'POST'))).toMatchObject({ status: 200 });
  for (const one of held) one.unsubscribe();
  await server.until(() => server.seen('status-sync').every(({ state }) => state === 'gone'));
  expect(transport.multiplexes).toBe(true);
});
