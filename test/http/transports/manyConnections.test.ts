import axios from 'axios';
import { MockAgent } from 'undici';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { axiosTransport } from 'runpod-rx';
import { fetchTransport } from 'runpod-rx/fetch';
import { undiciTransport } from 'runpod-rx/undici';
import { axiosOverFetch } from '../../../src/http/transports/axiosOverFetch.js';
import type { PlatformGlobals } from '../../../src/http/transports/inBrowser.js';
import { manyConnections } from '../../../src/http/transports/manyConnections.js';

const noop = () => undefined;

test.each<[platform: string, many: boolean, globals: PlatformGlobals]>([
  ['Node', true, { process: { versions: { node: '24.0.0' } }, navigator: { userAgent: 'Node.js/24' } }],
  ['Bun', true, { Bun: {}, self: {}, process: {}, navigator: { userAgent: 'Bun/1.4.5' } }],
  ['Deno', true, { Deno: {}, self: {}, navigator: { userAgent: 'Deno/2.9.6' } }],
  ['an edge runtime', true, { EdgeRuntime: 'edge-runtime', self: {} }],
  ['a page', false, { window: {}, document: {}, navigator: { userAgent: 'Mozilla/5.0' } }],
  ['a web worker', false, { self: {}, WorkerGlobalScope: noop, importScripts: noop }],
  ['a Cloudflare Worker', false, { self: {}, navigator: { userAgent: 'Cloudflare-Workers' } }],
])('%s opens a connection for each request: %s', (_, many, globals) => {
  expect(manyConnections(globals)).toBe(many);
});

/** The code runs in a page. */
const inPage = () => {
  vi.stubGlobal('window', {});
  vi.stubGlobal('document', {});
};

describe('multiplexes', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test('is true of the default transport on Node, whose requests have a connection each', async () => {
    const transport = axiosTransport();
    expect(transport.multiplexes).toBe(true);
    await transport.close?.();
  });

  test('is false of an axios instance of the user: its adapter and agents are not known', () => {
    expect(axiosTransport(axios.create()).multiplexes).toBe(false);
  });

  test('is true of axios over fetch on a server, and false in a page', () => {
    expect(axiosOverFetch(axios).multiplexes).toBe(true);
    inPage();
    expect(axiosOverFetch(axios).multiplexes).toBe(false);
  });

  test('is true of fetch on a server, and false in a page', () => {
    expect(fetchTransport().multiplexes).toBe(true);
    inPage();
    expect(fetchTransport().multiplexes).toBe(false);
  });

  test('is what the option of fetchTransport says', () => {
    expect(fetchTransport({ multiplexes: false }).multiplexes).toBe(false);
    inPage();
    expect(fetchTransport({ multiplexes: true }).multiplexes).toBe(true);
  });

  test('is true of undici, false with a dispatcher of the user, and else what the option says', async () => {
    const own = undiciTransport();
    expect(own.multiplexes).toBe(true);
    await own.close?.();
    const dispatcher = new MockAgent();
    expect(undiciTransport({ dispatcher }).multiplexes).toBe(false);
    expect(undiciTransport({ dispatcher, multiplexes: true }).multiplexes).toBe(true);
    await dispatcher.close();
    const bounded = undiciTransport({ multiplexes: false });
    expect(bounded.multiplexes).toBe(false);
    await bounded.close?.();
  });
});
