import { merge } from 'rxjs';
import { assertOptions } from '../errors/invalidOptions.js';
import {
  ConfigurationError,
  createRunpod,
  runpod,
  type ClientOptions,
  type Runpod,
  type RunpodOptions,
} from '../index.js';
import { duration, text, type Checks } from '../protocol/checkOptions.js';
import { createProxy, createWebhooks, type Webhooks } from '../server/index.js';
import type { MountedHandler } from './mountHandlers.js';
import type { RunpodModuleExtras, RunpodModuleOptions, RunpodModuleServices } from './RunpodModuleOptions.js';

/** The module's own options, taken out of those of the client. */
const NONE_OF_OURS: Readonly<Record<keyof RunpodModuleServices | keyof RunpodModuleExtras, undefined>> = {
  webhooks: undefined,
  webhookPath: undefined,
  proxy: undefined,
  closeTimeout: undefined,
  exceptionFilter: undefined,
};

/** The checks of those that nobody else checks. */
const OURS: Checks<Pick<RunpodModuleServices, 'closeTimeout' | 'webhookPath'>> = {
  closeTimeout: duration,
  webhookPath: text,
};

/** The receiver of webhooks, where the options have one. It is the first that is made of the options. */
export function createReceiver({ webhooks, closeTimeout, webhookPath }: RunpodModuleOptions): Webhooks | undefined {
  assertOptions('RunpodModule', { closeTimeout, webhookPath }, OURS);
  return webhooks && createWebhooks(webhooks);
}

/** The client, which is told of what webhooks say. */
export function createClient(options: RunpodModuleOptions, webhooks: Webhooks | undefined): Runpod {
  const { notices } = options;
  // Inherits, rather than copies: the options may be an object of a class. What is `undefined` counts as not given.
  const own = Object.assign(Object.create(options) as ClientOptions | RunpodOptions, NONE_OF_OURS, {
    notices: notices && webhooks ? merge(notices, webhooks.notices) : (notices ?? webhooks?.notices),
  });
  return hasTransport(own) ? createRunpod(own) : runpod(own);
}

function hasTransport(options: ClientOptions | RunpodOptions): options is ClientOptions {
  return (options as Partial<ClientOptions>).transport !== undefined;
}

/** What the module serves by itself, each at its path. */
export function handlersOf(
  { webhooks: webhookOptions, webhookPath, proxy }: RunpodModuleOptions,
  client: Runpod,
  webhooks: Webhooks | undefined,
): readonly MountedHandler[] {
  const handlers: MountedHandler[] = [];
  if (webhooks && webhookOptions) {
    const path = webhookPath ?? new URL(webhookOptions.url).pathname;
    handlers.push({ path: checked(path, 'webhookPath'), handler: webhooks.handle });
  }
  if (proxy) {
    const { basePath = '/api/runpod' } = proxy;
    handlers.push({ path: checked(basePath, 'proxy.basePath'), handler: createProxy({ ...proxy, client }) });
  }
  return handlers;
}

/** At the path `/`, a handler would answer all requests of the application. */
function checked(path: string, option: string): string {
  if (/^\/[^?#]+$/.test(path)) return path;
  const rule = 'it must begin with a slash, and be more than that';
  throw new ConfigurationError(`the path '${path}' (${option}) cannot be served: ${rule}`, {
    operation: 'RunpodModule',
  });
}
