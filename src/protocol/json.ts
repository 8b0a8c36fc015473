/** Turns the text of an answer into a value, as `JSON.parse` does. An endpoint may have its own. May throw. */
export type JsonParser = (text: string) => unknown;

/** Whether a value is a JSON object: neither null nor an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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

/** Whether two JSON values are equal. The order of keys does not count. */
export function sameJson(a: unknown, b: unknown, depth = 0): boolean {
  if (Object.is(a, b)) return true;
  if (depth > MAX_DEPTH) return false;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [first, second] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(first);
  return (
    keys.length === Object.keys(second).length &&
    keys.every((key) => Object.hasOwn(second, key) && sameJson(first[key], second[key], depth + 1))
  );
}
