import { expect, test } from 'vitest';
import { inBrowser, type PlatformGlobals } from '../../../src/http/transports/inBrowser.js';

const noop = () => undefined;
const Scope = noop;

/** The globals by which platforms differ, as they were found there. */
const platforms: readonly [name: string, exposed: boolean, globals: PlatformGlobals][] = [
  ['a page', true, { window: {}, document: {}, self: {}, navigator: { userAgent: 'Mozilla/5.0' } }],
  ['a window of Electron with Node', true, { window: {}, document: {}, process: { versions: { node: '24.0.0' } } }],
  ['jsdom', true, { window: {}, document: {}, navigator: { userAgent: 'Mozilla/5.0 jsdom/26.0.0' } }],
  [
    'a web worker',
    true,
    { self: {}, WorkerGlobalScope: Scope, DedicatedWorkerGlobalScope: Scope, importScripts: noop },
  ],
  [
    'a shared worker',
    true,
    { self: {}, WorkerGlobalScope: Scope, SharedWorkerGlobalScope: Scope, importScripts: noop },
  ],
  [
    'a service worker',
    true,
    { self: {}, WorkerGlobalScope: Scope, ServiceWorkerGlobalScope: Scope, importScripts: noop },
  ],
  ['a web worker of Electron with Node', true, { WorkerGlobalScope: Scope, importScripts: noop, process: {} }],
  ['Node', false, { process: { versions: { node: '24.0.0' } }, navigator: { userAgent: 'Node.js/24' } }],
  ['a worker thread of Node', false, { process: {}, self: {}, navigator: { userAgent: 'Node.js/24' } }],
  ['the main process of Electron', false, { process: { versions: { electron: '40.0.0' } } }],
  ['a server with a window, without a document', false, { window: {}, process: {} }],
  ['Bun', false, { Bun: {}, self: {}, process: {}, navigator: { userAgent: 'Bun/1.4.5' } }],
  ['Deno', false, { Deno: {}, self: {}, process: {}, navigator: { userAgent: 'Deno/2.9.6' } }],
  ['a worker of Deno', false, { Deno: {}, self: {}, WorkerGlobalScope: Scope, DedicatedWorkerGlobalScope: Scope }],
  ['a classic worker of Deno', false, { Deno: {}, self: {}, WorkerGlobalScope: Scope, importScripts: noop }],
  [
    'workerd',
    false,
    {
      self: {},
      WorkerGlobalScope: Scope,
      ServiceWorkerGlobalScope: Scope,
      navigator: { userAgent: 'Cloudflare-Workers' },
    },
  ],
  [
    'workerd with more globals',
    false,
    { WorkerGlobalScope: Scope, importScripts: noop, navigator: { userAgent: 'Cloudflare-Workers' } },
  ],
  ['edge-runtime', false, { EdgeRuntime: 'edge-runtime', self: {} }],
  ['React Native', false, { window: {}, self: {}, navigator: { product: 'ReactNative' } }],
  ['a bare engine', false, {}],
];

test.each(platforms)('S21 %s: code is open to visitors: %s', (_, exposed, globals) => {
  expect(inBrowser(globals)).toBe(exposed);
});
