import type { Issue } from '../protocol/checks.js';

/** What may stand in the name of a header. */
const NAME = /^[!#$%&'*+.^_`|~\w-]+$/;

/** What may stand in its value: one line of Latin-1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Headers that say how a message is sent. The HTTP library sets them, and from somewhere else, such as an incoming request,
 * they are wrong. HTTP libraries refuse some, drop others, and send the rest.
 */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Checks that headers can be sent, by every transport. The issues show no values, which may be secret. */
export function checkHeaders(headers: Readonly<Record<string, unknown>>): Issue[] {
  const issues: Issue[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const found = checkHeader(name, value);
    if (found) issues.push({ field: fieldOf(name.slice(0, 80)), ...found });
  }
  return issues;
}

function fieldOf(name: string): string {
  return NAME.test(name) ? `headers.${name}` : `headers[${JSON.stringify(name)}]`;
}

function checkHeader(name: string, value: unknown): Omit<Issue, 'field'> | undefined {
  if (!NAME.test(name))
    return { given: 'not the name of a header', rule: "must consist of letters, digits and !#$%&'*+-.^_`|~" };
  if (OF_THE_CONNECTION.has(name.toLowerCase())) return { given: 'set', rule: 'must be left to the client' };
  if (typeof value === 'string' && VALUE.test(value)) return undefined;
  const given = typeof value === 'string' ? 'a text that HTTP cannot carry' : `of the type ${typeof value}`;
  return { given, rule: 'must be a text of one line, with characters up to U+00FF' };
}
