import type { JobSnapshot, JsonParser } from '../../index.js';
import { withoutWebhook } from './withoutWebhook.js';

/**
 * Remembers the text that each snapshot of a job was parsed from, so that a page gets it as the service wrote it: with the
 * integers that JavaScript cannot hold, for example.
 */
export class AnswerTexts {
  /** Of all proxies: those over one client have its reads in common, and the parser is that of the last. */
  static readonly #texts = new WeakMap<object, string>();
  /** The parsers that remember the texts. */
  static readonly #parsers = new WeakSet<JsonParser>();

  /** A parser for `endpoint(id, { parse })` that remembers the texts. */
  remembering(parse: JsonParser = JSON.parse): JsonParser {
    if (AnswerTexts.#parsers.has(parse)) return parse;
    const remembering: JsonParser = (text) => {
      const value = parse(text);
      if (typeof value === 'object' && value !== null) AnswerTexts.#texts.set(value, text);
      return value;
    };
    AnswerTexts.#parsers.add(remembering);
    return remembering;
  }

  /** The text of a snapshot, without its webhook. One that no answer has brought, such as a webhook's, is made anew. */
  of({ raw }: JobSnapshot): string {
    return withoutWebhook(AnswerTexts.#texts.get(raw) ?? writtenAnew(raw));
  }
}

/** A value as JSON. A parser of the caller's own may have made integers of it that `JSON.stringify` refuses. */
function writtenAnew(value: unknown): string {
  // By chance, so that no text of the value's own is taken for an integer.
  const mark = crypto.randomUUID();
  const marked = (_: string, member: unknown) => (typeof member === 'bigint' ? `${mark}${member}` : member);
  return JSON.stringify(value, marked).replaceAll(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1');
}
