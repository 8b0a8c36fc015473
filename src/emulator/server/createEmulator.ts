import { createEmulator as createCore, type Emulator as Core, type EmulatorOptions as CoreOptions } from '../index.js';
import { EmulatorServer, type ListenOptions } from './EmulatorServer.js';
import { postWebhook } from './postWebhook.js';

/** Options of the emulator in Node: those of the model, and those of its server. */
export interface EmulatorOptions extends CoreOptions, ListenOptions {}

/** An emulator that can listen. */
export interface Emulator extends Omit<Core, 'close'> {
  /**
   * Serves HTTP on `options.host` (127.0.0.1), at `port`, or else `options.port`, or else any free one. Rejects if the port
   * is taken. A second call while it listens gives the same server.
   */
  listen(port?: number): Promise<ListeningEmulator>;
  /** Stops all work and every timer, and the server if there is one. Resolves when the port is free. */
  close(): Promise<void>;
}

/** An emulator that listens. */
export interface ListeningEmulator extends Emulator {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  /** What clients take as base URL: `url` and `/v2`. */
  readonly baseUrl: string;
  readonly port: number;
}

/** Makes a local RunPod that can also serve HTTP, once `listen` is called. */
export function createEmulator(options: EmulatorOptions): Emulator {
  const core = createCore({ ...options, webhooks: { send: postWebhook, ...options.webhooks } });
  let listening: Promise<EmulatorServer> | undefined;
  const emulator: Emulator = {
    ...core,
    listen: async (port = options.port ?? 0) => {
      listening ??= EmulatorServer.listen(core, { ...options, port });
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
      // A server that could not listen has nothing to close, and its caller knows already.
      await (await listening?.catch(() => undefined))?.close();
    },
  };
  return emulator;
}

/**
 * Makes a local RunPod and serves it on 127.0.0.1, at any free port unless `options.port` says which.
 *
 * ```ts
 * const emulator = await startEmulator({ endpoints: { demo: { handler: ({ input }) => ({ echo: input }) } } });
 * console.log(emulator.baseUrl);
 * await emulator.close();
 * ```
 */
export function startEmulator(options: EmulatorOptions): Promise<ListeningEmulator> {
  return createEmulator(options).listen();
}
