import { isLoopback } from '../../protocol/loopback.js';

/** The reason why a webhook must not be posted to a URL; `undefined` if it may. */
export function refusalOf(url: string, allow: true | readonly string[]): string | undefined {
  const target = parsed(url);
  if (!target) return 'not a URL';
  const { protocol, hostname } = target;
  if (protocol !== 'http:' && protocol !== 'https:') return `${protocol} is neither http: nor https:`;
  if (allow === true || isLoopback(hostname) || allow.includes(hostname)) return undefined;
  return `${hostname} is not this machine, and not among the hosts that webhooks may go to`;
}

function parsed(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined;
  }
}
