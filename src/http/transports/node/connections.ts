import { Agent, Pool, ProxyAgent, buildConnector } from '#undici';
import type { Dispatcher } from 'undici';
import { networkError } from '../networkError.js';
import { proxySettings, type FindProxy, type Proxy } from './proxySettings.js';
import { skipInterim } from './skipInterim.js';

/** The part of an undici dispatcher that sends, and is closed. */
export type Connections = Pick<Dispatcher, 'dispatch'> & { close(): Promise<void> };

/**
 * Pooled connections, through the proxies that the environment names. A failure to connect (to a proxy, through it, or in
 * the TLS handshake) has the phase `connect`.
 */
export function connections(environment: NodeJS.ProcessEnv = process.env): Connections {
  const agent = new Agent({ factory: poolOf });
  const findProxy = proxySettings(environment);
  return findProxy ? new ProxiedConnections(agent, findProxy) : agent;
}

/** How long a proxy may take to open a tunnel, in milliseconds. */
const TUNNEL_TIMEOUT = 30_000;

/** Sends https through a tunnel that the proxy opens, and asks the proxy itself for http. */
class ProxiedConnections implements Connections {
  readonly #agent: Agent;
  readonly #findProxy: FindProxy;
  /** By the origin of the proxy. */
  readonly #tunnels = new Map<string, ProxyAgent>();

  constructor(agent: Agent, findProxy: FindProxy) {
    this.#agent = agent;
    this.#findProxy = findProxy;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const origin = new URL(String(options.origin));
    const proxy = this.#findProxy(origin);
    if (!proxy) return this.#agent.dispatch(options, handler);
    if (origin.protocol === 'https:') return this.#tunnelThrough(proxy).dispatch(options, handler);
    const { origin: via, authorization } = proxy;
    const headers: Record<string, string> = { ...(options.headers as Record<string, string>), host: origin.host };
    if (authorization) headers['proxy-authorization'] = authorization;
    return this.#agent.dispatch({ ...options, origin: via, path: origin.origin + options.path, headers }, handler);
  }

  async close(): Promise<void> {
    await Promise.all([this.#agent, ...this.#tunnels.values()].map((dispatcher) => dispatcher.close()));
  }

  #tunnelThrough({ origin, authorization }: Proxy): ProxyAgent {
    let tunnel = this.#tunnels.get(origin);
    if (!tunnel) {
      tunnel = new ProxyAgent({
        uri: origin,
        ...(authorization && { token: authorization }),
        factory: poolOf,
        // Without a bound, a proxy that is silent would hold up `Runpod.close()` for minutes.
        clientFactory: (via, options) => new Pool(via, { ...options, headersTimeout: TUNNEL_TIMEOUT }),
      });
      this.#tunnels.set(origin, tunnel);
    }
    return tunnel;
  }
}

/** A pool of connections to an origin. */
function poolOf(origin: string | URL, options: object): Pool {
  const { connect } = options as Pool.Options;
  const connector = typeof connect === 'function' ? connect : buildConnector({ ...connect });
  return new Pool(origin, { ...options, connect: telling(connector) });
}

/** A connector that tells its failures from those of an open connection. */
function telling(connector: buildConnector.connector): buildConnector.connector {
  return (options, callback) => {
    connector(options, (error, socket) => {
      if (error) callback(notConnected(error), null);
      else callback(null, skipInterim(socket));
    });
  };
}

function notConnected(error: Error): Error {
  const failure = networkError(error, 'connect');
  // After these codes undici connects again, without end where a proxy keeps breaking off.
  return /^UND_ERR_(SOCKET|INFO)$/.test(failure.code ?? '') ? Object.assign(failure, { code: 'ECONNRESET' }) : failure;
}
