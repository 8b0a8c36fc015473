import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** Keeps a token of a webhook from being of use as anything else that is made with the same secret. */
const PURPOSE = 'runpod-rx/webhook\n';

/** The longest key, in UTF-16 code units: a URL must remain one. */
const MAX_KEY = 256;

/** Whether a value can be a key: a URL carries each such text, and gives it back as it was. */
export function isKey(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_KEY && !/\p{Cs}/u.test(value);
}

/** The rule for a key, in words. */
export const KEY_RULE = `must be text of 1 to ${MAX_KEY} characters, without half surrogate pairs`;

/** What the URL of a request proves. */
export interface ProvedKey {
  readonly key: string;
  /** The URL as it stood in the submission. */
  readonly webhook: string;
}

/** The URLs of webhooks. Each carries a key, and the proof that somebody who has the secret has made it for this key. */
export class WebhookTokens {
  readonly #beforeQuery: string;
  readonly #query: string;
  readonly #secrets: readonly string[];

  /** @param secrets - the first makes new tokens; all of them are accepted */
  constructor(given: string, secrets: readonly string[]) {
    const url = new URL(given);
    this.#query = url.search.slice(1);
    url.search = '';
    url.hash = '';
    this.#beforeQuery = url.href;
    this.#secrets = secrets;
  }

  urlFor(key: string, token = tokenFor(key, this.#secrets[0])): string {
    const own = `key=${encodeURIComponent(key)}&token=${token}`;
    return `${this.#beforeQuery}?${this.#query && `${this.#query}&`}${own}`;
  }

  /** The key of a request's URL; `undefined` where its token does not prove one. */
  prove(url: string): ProvedKey | undefined {
    const { searchParams } = new URL(url);
    const [[key, ...otherKeys], [token, ...otherTokens]] = [searchParams.getAll('key'), searchParams.getAll('token')];
    if (!isKey(key) || token === undefined || otherKeys.length || otherTokens.length) return undefined;
    // All are compared, so that the time does not tell which was right.
    const matches = this.#secrets.map((secret) => sameText(tokenFor(key, secret), token));
    return matches.includes(true) ? { key, webhook: this.urlFor(key, token) } : undefined;
  }
}

function tokenFor(key: string, secret = ''): string {
  const encoder = new TextEncoder();
  const mac = hmac(sha256, encoder.encode(secret), encoder.encode(PURPOSE + key));
  const base64 = btoa(String.fromCharCode(...mac));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Whether two texts are the same, in a time that does not depend on where they differ. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
  return difference === 0;
}
