/** The longest key, in UTF-16 code units: a webhook's URL carries it, and the number of the job. */
export const MAX_KEY = 200;

/** Whether a value can name an input. */
export function isKey(key: unknown): key is string {
  return typeof key === 'string' && key.length > 0 && key.length <= MAX_KEY && !/\p{Cs}/u.test(key);
}
