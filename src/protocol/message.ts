import { isRecord, parseJson } from './json.js';

/** The fields that may hold the words of an error; the first that has some is taken. */
const KEYS = ['error_message', 'error', 'message', 'detail', 'title'] as const;

/**
 * The words in an error, which may be a plain string, JSON in a string, or one of the fields that the service and its
 * workers use, at any depth. `undefined` where there are no words.
 */
export function messageOf(value: unknown): string | undefined {
  if (typeof value === 'string') {
    const text = value.trim();
    return (text.startsWith('{') && messageOf(parseJson(text))) || text || undefined;
  }
  if (!isRecord(value)) return undefined;
  const detail = messageOf(value.detail);
  if (detail && typeof value.title === 'string') return `${value.title}: ${detail}`;
  for (const key of KEYS) {
    const found = messageOf(value[key]);
    if (found) return found;
  }
  return undefined;
}

/** The words of an HTTP answer's body in one short line. Of an HTML page, that is its title. */
export function bodyMessage(text: string): string | undefined {
  const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1];
  const found = /^\s*</.test(text) ? (title ?? 'an HTML page') : messageOf(text);
  return found && clip(found.replace(/\s+/g, ' ').trim());
}

/** The beginning of a text, for a message. */
export function clip(text: string, length = 300): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** The issue with an answer that lacks something: the words of its `error` where it has one, else what is missing. */
export function lacking(what: string, { error }: { readonly error?: unknown }): { readonly issue: string } {
  const words = messageOf(error);
  return { issue: words ? `says: ${clip(words)}` : `has no ${what}` };
}

/** Whether the body of a 404 says that the endpoint is missing, rather than the job. */
export function isEndpointMissing(text: string): boolean {
  return /endpoint/i.test(messageOf(text) ?? '');
}
