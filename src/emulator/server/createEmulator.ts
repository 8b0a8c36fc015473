import { mustBe, text, type Checks } from '../../protocol/checkOptions.js';
import { EMULATOR, assertOptions } from '../checkOptions.js';
import { createInspected } from '../createEmulator.js';
import type { Emulator as Core, EmulatorOptions as CoreOptions } from '../index.js';
import { startServer, type EmulatorServer, type ListenOptions } from './EmulatorServer.js';
import { isOrigin } from './cors.js';
import { postWebhook } from './postWebhook.js';

/** Options of the emulator in Node: the options of the model and of its server. */
export interface EmulatorOptions extends CoreOptions, ListenOptions {}

/** An emulator that can listen. */
export interface Emulator extends Omit<Core, 'close'> {
  /**
   * Serves HTTP on `options.host` (127.0.0.1). The port is `port`, else `options.port`, else any free port. Rejects if the
   * port is taken. A second call while the emulator listens returns the same server.
   */
  listen(port?: number): Promise<ListeningEmulator>;
  /** Stops all work and every timer, and the server if it runs. Resolves when the port is free. */
  close(): Promise<void>;
}

/** An emulator that listens. */
export interface ListeningEmulator extends Emulator {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** The base URL for clients: `url` followed by `/v2`. */
  readonly baseUrl: string;
  readonly port: number;
}

/** The checks of the options of the model and of its server. */
const CHECKS: Checks<EmulatorOptions> = {
  ...EMULATOR,
  port: mustBe(
    'a port: a whole number from 0 to 65535',
    (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535,
  ),
  host: text,
  hosts: mustBe('true, or a list of names', (value) => value === true || isList(value)),
  cors: mustBe(
    'true, false, an origin such as http://localhost:5173, or a list of origins',
    (value) => typeof value === 'boolean' || isOrigin(value) || (Array.isArray(value) && value.every(isOrigin)),
  ),
};

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/**
 * Makes a local RunPod. It serves HTTP once `listen` is called. Throws a `TypeError` that names every mistake in the options.
 */
export function createEmulator(options: EmulatorOptions): Emulator {
  assertOptions(options, CHECKS);
  const { port: _port, host: _host, hosts: _hosts, cors: _cors, ...model } = options;
  const { emulator: core, inspection } = createInspected({
    ...model,
    webhooks: { send: postWebhook, ...options.webhooks },
  });
  let listening: Promise<EmulatorServer> | undefined;
  const emulator: Emulator = {
    ...core,
    listen: async (port = options.port ?? 0) => {
      listening ??= startServer({ core, inspection }, { ...options, port });
      try {
        const { url, port: bound } = await listening;
        return { ...emulator, url, baseUrl: `${url}/v2`, port: bound };
      } catch (error) {
        listening = undefined;
        throw error;
      }
    },
    close: async () => {
      core.close();
      // A server that failed to listen has nothing to close; `listen` has already rejected.
      const server = await listening?.catch(() => undefined);
      await server?.close();
    },
  };
  return emulator;
}

/**
 * Makes a local RunPod and serves it over HTTP: on `options.host` (127.0.0.1), at `options.port` (any free port). Rejects if
 * it cannot listen, or if the options have mistakes.
 *
 * ```ts
 * const emulator = await startEmulator({ endpoints: { demo: { handler: ({ input }) => ({ echo: input }) } } });
 * console.log(emulator.baseUrl);
 * await emulator.close();
 * ```
 */
export async function startEmulator(options: EmulatorOptions): Promise<ListeningEmulator> {
  return createEmulator(options).listen();
}
