import { BlockList, isIP } from 'node:net';
import { isLoopback } from '../../../protocol/loopback.js';

/** Environment variables. */
type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy that the environment names. */
export interface Proxy {
  /** Such as `http://proxy.example:3128`. */
  readonly origin: string;
  /** The value of `Proxy-Authorization`; `undefined` where the proxy asks for none. */
  readonly authorization: string | undefined;
}

/** Finds the proxy for the origin of a request; `undefined` where there is none. Throws where its URL cannot be used. */
export type FindProxy = (origin: URL) => Proxy | undefined;

/**
 * The proxies that an environment names: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, but not for hosts in `NO_PROXY`,
 * each also in lower case, which is preferred. `undefined` where it names none.
 *
 * This machine is reached directly, as in browsers and in Go: a proxy could not reach it, and an emulator runs here.
 */
export function proxySettings(environment: Environment): FindProxy | undefined {
  const variable = (name: string) => environment[name]?.trim() || environment[name.toUpperCase()]?.trim();
  const byProtocol: Environment = { 'http:': variable('http_proxy'), 'https:': variable('https_proxy') };
  if (!byProtocol['http:'] && !byProtocol['https:']) return undefined;
  const exceptions = (variable('no_proxy') ?? '').split(/[\s,]+/).filter(Boolean);
  return (origin) => {
    const given = byProtocol[origin.protocol];
    if (!given || isLoopback(origin.hostname) || exceptions.some((exception) => covers(exception, origin)))
      return undefined;
    return readProxy(given, `${origin.protocol.slice(0, -1).toUpperCase()}_PROXY`);
  };
}

/** The error never shows the URL, which may hold a password. */
function readProxy(given: string, name: string): Proxy {
  const text = given.includes('://') ? given : `http://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw Object.assign(new Error(`the environment variable ${name} must be an http or https URL`), {
      phase: 'connect',
    });
  }
  const user = `${decoded(url.username)}:${decoded(url.password)}`;
  return {
    origin: url.origin,
    authorization: user === ':' ? undefined : `Basic ${Buffer.from(user).toString('base64')}`,
  };
}

/** A part of a URL; as it stands where it has a percent sign that encodes nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Whether an entry of `NO_PROXY` covers a URL: `*`, a domain with those below it, an address or a range, with or without a port. */
function covers(exception: string, { hostname, port, protocol }: URL): boolean {
  if (exception === '*') return true;
  const host = hostname.replace(/^\[|\]$/g, '');
  const range = /^(.+)\/(\d+)$/.exec(exception);
  if (range) return isInRange(host, range[1] ?? '', Number(range[2]));
  // An IPv6 address has colons of its own: with a port it is in brackets.
  const [, name = exception, onlyPort] =
    /^\[(.+)\](?::(\d+))?$/.exec(exception) ?? /^([^:]+):(\d+)$/.exec(exception) ?? [];
  const defaultPort = protocol === 'https:' ? '443' : '80';
  if (onlyPort && onlyPort !== (port || defaultPort)) return false;
  const domain = name.toLowerCase().replace(/^\*?\./, '');
  return host === domain || (!isIP(host) && host.endsWith(`.${domain}`));
}

function isInRange(host: string, network: string, prefix: number): boolean {
  const family = isIP(network);
  if (!family || family !== isIP(host) || prefix > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, prefix, type);
  return list.check(host, type);
}
