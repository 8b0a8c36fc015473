import type { Dispatcher } from 'undici';
import { assertOptions } from '../../errors/invalidOptions.js';
import { flag, having, type Checks } from '../../protocol/checkOptions.js';
import type { Transport } from '../../types/Transport.js';
import { connections } from './node/connections.js';
import { undiciRequest } from './undiciRequest.js';

/** Options of {@link undiciTransport}. */
export interface UndiciTransportOptions {
  /**
   * An agent, pool or mock of your own, which you then close yourself. It decides on proxies and certificates.
   * @defaultValue connections of this transport's own, closed by `Runpod.close()`, through the proxies of `HTTP_PROXY`,
   * `HTTPS_PROXY` and `NO_PROXY`
   */
  readonly dispatcher?: Dispatcher;
  /**
   * Whether the dispatcher has a connection for each request, or HTTP/2: see `Transport.multiplexes`.
   * @defaultValue true for connections of this transport's own, false for a dispatcher of yours
   */
  readonly multiplexes?: boolean;
}

const UNDICI_TRANSPORT: Checks<UndiciTransportOptions> = {
  dispatcher: having('a dispatcher of undici', 'dispatch'),
  multiplexes: flag,
};

/**
 * HTTP by undici alone, for Node: less work for each request than the default, and no axios.
 *
 * ```ts
 * const client = createRunpod({ transport: undiciTransport() });
 * ```
 *
 * Throws `ConfigurationError` for options that cannot work. Emits one reply and completes. Errors with `ConnectionError`'s phase set. Unsubscribing aborts the request.
 */
export function undiciTransport(options: UndiciTransportOptions = {}): Transport {
  assertOptions('undiciTransport', options, UNDICI_TRANSPORT);
  const { dispatcher, multiplexes = !dispatcher } = options;
  const pool = dispatcher ?? connections();
  const transport: Transport = (request) => undiciRequest(pool, request);
  transport.multiplexes = multiplexes;
  if (!dispatcher) transport.close = () => pool.close();
  return transport;
}
