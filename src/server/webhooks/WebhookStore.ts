import type { Eventually } from '../eventually.js';

/**
 * Where it is remembered which job belongs to which key: texts by their names, as a table of two columns or Redis holds
 * them. With a store that several processes share, a webhook may come to any of them.
 *
 * ```ts
 * const store: WebhookStore = {
 *   get: (name) => redis.get(name),
 *   set: (name, value, keepFor) => redis.set(name, value, { PX: keepFor }),
 *   add: (name, value, keepFor) => redis.set(name, value, { PX: keepFor, NX: true, GET: true }),
 * };
 * ```
 *
 * Each method gives a value, a promise, or an Observable, of which the first value counts. One that errors, or takes longer
 * than ten seconds, has the webhook answered 503, so that the service sends it again.
 */
export interface WebhookStore {
  /** The value of a name; `null`, `undefined` or nothing where there is none. */
  get(name: string): Eventually<string | null | undefined>;
  /**
   * Gives a name a value, in place of any other.
   *
   * @param keepFor - for how long, in milliseconds. A value that is lost before costs reads, and forges nothing
   */
  set(name: string, value: string, keepFor: number): Eventually<unknown>;
  /**
   * Gives a name a value unless it has one, in one step. Emits the value that it had; `null`, `undefined` or nothing where
   * there was none.
   */
  add(name: string, value: string, keepFor: number): Eventually<string | null | undefined>;
}
