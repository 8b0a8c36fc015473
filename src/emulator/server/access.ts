import type { IncomingHttpHeaders } from 'node:http';
import { hostname } from 'node:os';
import { isLoopback } from '../../protocol/loopback.js';
import { allowsOrigin, type CorsOption } from './cors.js';
import { bracketed, hostName, isAddress } from './hostName.js';

/** What decides who may call the server. */
export interface AccessOptions {
  /** The address or name that the server is bound to. */
  readonly host: string;
  /** The origins whose pages may call. */
  readonly cors: CorsOption;
  /** Further names that requests may be addressed to; `true` for every name. */
  readonly hosts: true | readonly string[];
}

/** The parts of a request that say where it was sent to, and which page sent it. */
export interface Sender {
  readonly headers: IncomingHttpHeaders;
  /** The host of an absolute request target. */
  readonly targetHost?: string;
}

/**
 * Decides whether a request may have any effect. The emulator runs code, so it must not serve every page that a browser of
 * this machine shows:
 *
 * - A page of another origin is refused unless `cors` names its origin. Browsers send such a page's simple requests without
 *   asking first, so that CORS headers alone would come too late.
 * - A request that is addressed to a foreign name is refused: an attacker's name can be made to lead to this machine, and
 *   then the attacker's page has the same origin as the emulator (DNS rebinding).
 *
 * Programs that are not browsers send no `Origin`, and are let in.
 */
export class Access {
  readonly #cors: CorsOption;
  readonly #named: true | ReadonlySet<string>;
  readonly #isPublic: boolean;

  constructor({ host, cors, hosts }: AccessOptions) {
    const bound = hostName(bracketed(host)) ?? '';
    this.#cors = cors;
    this.#isPublic = !isLoopback(bound);
    this.#named = hosts === true || new Set([bound, ...hosts.map((name) => hostName(bracketed(name)) ?? '')]);
  }

  /** Why a request is refused, for the people who read its answer; `undefined` if it may pass. */
  refusal({ headers, targetHost }: Sender): string | undefined {
    for (const host of [headers.host, targetHost]) {
      if (host !== undefined && !this.#knows(hostName(host))) {
        return `the host ${JSON.stringify(host)} is not a name of this emulator. The option hosts (--allow-host) names further hosts.`;
      }
    }
    return this.#isForeignPage(headers)
      ? `pages of ${headers.origin ?? 'other origins'} may not call this emulator. The option cors (--cors) names the origins that may.`
      : undefined;
  }

  #isForeignPage(headers: IncomingHttpHeaders): boolean {
    const { origin } = headers;
    const site = headers['sec-fetch-site'];
    if (this.#cors === true) return false;
    if (origin === undefined) return site !== undefined && site !== 'same-origin' && site !== 'none';
    if (allowsOrigin(this.#cors, origin)) return false;
    if (origin === `http://${headers.host ?? ''}`) return false;
    // The page's own server passed its request on, as the proxies of development servers do.
    return !(site === 'same-origin' && this.#knows(hostName(origin.replace(/^https?:\/\//, ''))));
  }

  #knows(name: string | undefined): boolean {
    if (name === undefined) return false;
    if (this.#named === true || this.#named.has(name) || isLoopback(name)) return true;
    // On a network the server is called by addresses of routers and hosts that it cannot know, by this machine's name, and by
    // the name of a container. None of them can lead an attacker's page here: that takes a name in the public DNS.
    return this.#isPublic && (isAddress(name) || !name.includes('.') || name === hostname().toLowerCase());
  }
}
