import type { Reply } from '../types/Transport.js';
import { isRecord, parseJson } from './json.js';
import { clip } from './text.js';

/** The fields that may hold the words of an error; the first that has some is taken. */
const KEYS = ['error_message', 'error', 'message', 'detail', 'title'] as const;

/** How deep words are looked for, counting objects and JSON in strings. They were seen at a depth of three. */
const MAX_DEPTH = 10;

/** In how many values words are looked for. The errors that were seen have fewer than ten. */
const MAX_VALUES = 100;

/**
 * How many characters of JSON in strings are parsed for one error. A longer text is shown as it is: the errors that were
 * seen have a few thousand.
 */
export const MAX_ERROR_TEXT = 100_000;

/**
 * The words in an error, which may be a plain string, JSON in a string, or one of the fields that the service and its
 * workers use, in one another. `undefined` where there are no words, or where they lie deeper than `MAX_DEPTH`.
 */
export function messageOf(value: unknown): string | undefined {
  return new WordSearch().wordsIn(value, 0);
}

/** Looks for the words of an error in a bounded number of values, however the error is nested. */
class WordSearch {
  #remainingValues = MAX_VALUES;
  #remainingText = MAX_ERROR_TEXT;

  wordsIn(value: unknown, depth: number): string | undefined {
    if (depth > MAX_DEPTH || this.#remainingValues === 0) return undefined;
    this.#remainingValues--;
    if (typeof value === 'string') return this.#wordsInText(value.trim(), depth);
    return isRecord(value) ? this.#wordsInObject(value, depth) : undefined;
  }

  #wordsInText(text: string, depth: number): string | undefined {
    const inner = text.startsWith('{') ? this.wordsIn(this.#parse(text), depth + 1) : undefined;
    return inner ?? (text || undefined);
  }

  #parse(text: string): unknown {
    if (text.length > this.#remainingText) return undefined;
    this.#remainingText -= text.length;
    return parseJson(text);
  }

  #wordsInObject(value: Readonly<Record<string, unknown>>, depth: number): string | undefined {
    const detail = this.wordsIn(value.detail, depth + 1);
    if (detail !== undefined && typeof value.title === 'string') return `${value.title}: ${detail}`;
    for (const key of KEYS) {
      const words = key === 'detail' ? detail : this.wordsIn(value[key], depth + 1);
      if (words !== undefined) return words;
    }
    return undefined;
  }
}

/** The words of an HTTP answer's body in one short line. Of an HTML page, that is its title. */
export function bodyMessage(text: string): string | undefined {
  const words = isPage(text) ? (titleOf(text) ?? 'an HTML page') : messageOf(text);
  return (words && clip(words)) || undefined;
}

/** The title of an HTML page. */
function titleOf(page: string): string | undefined {
  const tag = page.search(/<title[\s>]/i);
  if (tag < 0) return undefined;
  const begin = page.indexOf('>', tag) + 1;
  const end = page.indexOf('<', begin);
  const title = begin > 0 ? page.slice(begin, end < 0 ? undefined : end).trim() : '';
  return title || undefined;
}

/** Whether a body is HTML or XML, which no part of the service's API writes. */
function isPage(text: string): boolean {
  return text.trimStart().startsWith('<');
}

/**
 * Whether an error's body has one of the forms that the service gives: JSON with words in a known field, an empty object,
 * plain text, or nothing. The page of a gateway, a firewall or a login has none of them, and says nothing about a job.
 */
export function isServiceAnswer({ headers, text }: Pick<Reply, 'headers' | 'text'>): boolean {
  const body = text.trim();
  if (!body) return true;
  if (body.startsWith('{')) {
    const value = body.length <= MAX_ERROR_TEXT ? parseJson(body) : undefined;
    return isRecord(value) && (messageOf(value) !== undefined || Object.keys(value).length === 0);
  }
  // A page may begin with other text. JSON is believed whatever it is labelled: proxies often relay it as HTML.
  if (isPage(body) || /html|xml/i.test(headers['content-type'] ?? '')) return false;
  return !(body.startsWith('[') && (body.length > MAX_ERROR_TEXT || parseJson(body) !== undefined));
}

/** The issue with an answer that lacks something: the words of its `error` where it has one, else what is missing. */
export function lacking(what: string, { error }: { readonly error?: unknown }): { readonly issue: string } {
  const words = messageOf(error);
  return { issue: words ? `says: ${clip(words)}` : `has no ${what}` };
}

/** Whether the body of a 404 says that the endpoint is missing, rather than the job. */
export function isEndpointMissing(text: string): boolean {
  return !isPage(text) && /endpoint/i.test(messageOf(text) ?? '');
}
