import { writeJson } from '../../model/relayed.js';
import type { JsonText } from './FeedEvent.js';

/** How many characters of a text are sent to the page. */
const MAX_LENGTH = 100_000;

/** A value as JSON, cut where it is long; `undefined` where there is no value. */
export function jsonText(value: unknown, most = MAX_LENGTH): JsonText | undefined {
  if (value === undefined) return undefined;
  const text = writeJson(value);
  return { text: text.slice(0, most), length: text.length };
}
