/** Turns the text of an answer into a value, as `JSON.parse` does. An endpoint may have its own. May throw. */
export type JsonParser = (text: string) => unknown;

/** Whether a value is a JSON object: neither null nor an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is a plain object, such as `{ … }` makes. */
export function isPlain(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const proto = Object.getPrototypeOf(value) as object | null;
  // An object of another realm, such as a frame, has that realm's Object.prototype; its prototype is null, too.
  return proto === null || (Object.getPrototypeOf(proto) === null && Object.hasOwn(proto, 'isPrototypeOf'));
}

/** The parsed text. `undefined` where the text is not JSON: no JSON text has that value. */
export function parseJson(text: string, parse: JsonParser = JSON.parse): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

/** How many levels of two values are compared. Values that are nested deeper count as different. */
const MAX_DEPTH = 500;

/**
 * How many values are compared with one another. A caller's own parser may give a value that holds another one many times,
 * so the number of values on all paths has no bound. Values with more count as different.
 */
const MAX_COMPARISONS = 2_000_000;

/** Whether two JSON values are equal. The order of keys does not count. Values that cannot be read count as different. */
export function sameJson(a: unknown, b: unknown): boolean {
  try {
    return new Comparison().same(a, b, 0);
  } catch {
    return false;
  }
}

class Comparison {
  #remaining = MAX_COMPARISONS;

  same(a: unknown, b: unknown, depth: number): boolean {
    if (Object.is(a, b)) return true;
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
    if (depth > MAX_DEPTH || this.#remaining-- <= 0) return false;
    if (Array.isArray(a)) return Array.isArray(b) && this.#sameItems(a, b, depth);
    return !Array.isArray(b) && this.#sameMembers(a as Members, b as Members, depth);
  }

  #sameItems(a: readonly unknown[], b: readonly unknown[], depth: number): boolean {
    return a.length === b.length && a.every((item, index) => this.same(item, b[index], depth + 1));
  }

  #sameMembers(a: Members, b: Members, depth: number): boolean {
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return false;
    // What a caller's own parser made of a text, such as a date, may hold its value elsewhere than in members.
    if (keys.length === 0) return isPlain(a) && isPlain(b);
    return keys.every((key) => Object.hasOwn(b, key) && this.same(a[key], b[key], depth + 1));
  }
}

type Members = Readonly<Record<string, unknown>>;
