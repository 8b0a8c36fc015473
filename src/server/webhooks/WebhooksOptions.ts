import type { SchedulerLike } from 'rxjs';
import type { JsonParser } from '../../index.js';
import { callback, count, having, required, scheduler, type Check, type Checks } from '../../protocol/checkOptions.js';
import { kindOf } from '../../protocol/checks.js';
import { isLoopback } from '../../protocol/loopback.js';
import type { WebhookStore } from './WebhookStore.js';

/** Options of `createWebhooks`. */
export interface WebhooksOptions {
  /**
   * Where the service reaches the handler: a public https URL, or http to this machine, for tests. Its query is kept; it may
   * not have a `key` or a `token`.
   */
  readonly url: string;
  /**
   * What the tokens are made with: at least 16 characters, by chance. Whoever sees one URL can try secrets against its
   * token as fast as his machine allows, so a word is soon found; 16 random letters and digits are 95 bits. In a list, the
   * first makes the tokens, and all are accepted: put a new one in front, and take the old one out when the jobs that were
   * signed with it are over.
   */
  readonly secret: string | readonly string[] | undefined;
  /**
   * Where it is remembered which job belongs to which key.
   * @defaultValue in this process: the newest 100 000 entries of 8 days, up to four for each key
   */
  readonly store?: WebhookStore;
  /**
   * The largest body that is read, in bytes. A larger one is answered 413, and its job's end is found by reading.
   * @defaultValue 20 971 520 (20 MiB), the largest that the service sends
   */
  readonly maxBody?: number;
  /**
   * Turns the text of a body into a value, for integers beyond 2^53: the same function as the endpoint's.
   * @defaultValue `JSON.parse`
   */
  readonly parse?: JsonParser;
  /**
   * All time comes from it: how long ends are kept, and how long a body may take.
   * @defaultValue `asyncScheduler`, with durations by `performance.now()`
   */
  readonly scheduler?: SchedulerLike;
}

const SHORTEST_SECRET = 16;

/** A check whose value is not quoted: it may hold a secret. */
function unquoted(rule: string, isFine: (value: unknown) => boolean): Check {
  return (value, field) => (isFine(value) ? [] : [{ field, given: kindOf(value), rule }]);
}

function isWebhookUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, hostname, searchParams } = new URL(value);
  if (searchParams.has('key') || searchParams.has('token')) return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

function isSecret(value: unknown): boolean {
  const secrets: readonly unknown[] = Array.isArray(value) ? value : [value];
  return secrets.length > 0 && secrets.every((one) => typeof one === 'string' && one.length >= SHORTEST_SECRET);
}

export const checksOfWebhooks: Checks<WebhooksOptions> = {
  url: required(
    unquoted('must be an https URL, or http to this machine, without a key or a token in its query', isWebhookUrl),
  ),
  secret: required(
    unquoted(`must be text of at least ${SHORTEST_SECRET} characters, or a list of such texts`, isSecret),
  ),
  store: having('a store, with the functions get, set and add', 'get', 'set', 'add'),
  maxBody: count(1),
  parse: callback,
  scheduler,
};
