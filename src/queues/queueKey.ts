import { fingerprint } from '../durable/fingerprint.js';

/** The longest key, in UTF-16 code units: a webhook's URL carries it, and the number of the job. */
const MAX_KEY = 200;

/** The name of a queue's job. Where its parts are too long for a key, a hash of them. */
export function queueKey(...parts: readonly string[]): string {
  const key = parts.join(':');
  return key.length <= MAX_KEY && !/\p{Cs}/u.test(key) ? key : fingerprint(parts[0] ?? '', parts);
}
