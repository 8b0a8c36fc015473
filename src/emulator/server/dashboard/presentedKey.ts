import { credentialsOf } from '../../model/keys.js';

/**
 * The key of a request of the page, or of a control request; an empty text if there is none. A browser asks for it by itself,
 * and then sends it as the password of HTTP's Basic scheme.
 */
export function presentedKey(headers: Readonly<Record<string, string>>): string {
  const [, encoded] = /^basic\s+(\S+)$/i.exec((headers.authorization ?? '').trim()) ?? [];
  if (encoded === undefined) return credentialsOf(headers).key;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}
