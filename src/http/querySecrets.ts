/** How long a text must be to be taken out of messages by itself. Shorter ones are in too many words. */
const SHORTEST = 6;

/**
 * The texts that would give away the query of a base URL, which may hold a token: the query, each parameter, and each
 * value, in every form in which a server may show them.
 */
export function querySecrets(query: string): string[] {
  if (!query) return [];
  const parameters = query.split('&');
  const values = parameters.map((parameter) => parameter.slice(parameter.indexOf('=') + 1));
  const texts = [query, ...parameters, ...values].flatMap(formsOf);
  return [...new Set(texts)].filter((text) => text.length >= SHORTEST);
}

/** A text of a query as it was given, as it is sent, decoded, encoded in other ways, and quoted in JSON and HTML. */
function formsOf(text: string): string[] {
  const asSent = new URL(`http://x/?${text}`).search.slice(1);
  const decoded = [decode(text), decode(text.replaceAll('+', ' '))];
  const encoded = [text, asSent, ...decoded.map((one) => encodeURIComponent(one))];
  return [
    ...decoded,
    ...decoded.map((one) => JSON.stringify(one).slice(1, -1)),
    ...[...decoded, ...encoded].map(htmlOf),
    ...encoded,
    ...encoded.map((one) => one.replace(/%[0-9A-F]{2}/gi, (escape) => escape.toLowerCase())),
    ...encoded.map((one) => one.replace(/%[0-9A-F]{2}/gi, (escape) => escape.toUpperCase())),
  ];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function htmlOf(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
