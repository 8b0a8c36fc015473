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
  return Object.entries(headers).flatMap(([name, value]): Issue[] => {
    if (!NAME.test(name)) {
      const field = `headers[${JSON.stringify(name.slice(0, 80))}]`;
      return [
        { field, given: 'not the name of a header', rule: "must consist of letters, digits and !#$%&'*+-.^_`|~" },
      ];
    }
    const field = `headers.${name.slice(0, 80)}`;
    if (OF_THE_CONNECTION.has(name.toLowerCase())) {
      return [{ field, given: 'set', rule: 'must be left to the client' }];
    }
    if (typeof value === 'string' && VALUE.test(value)) return [];
    const given = typeof value === 'string' ? 'a text that HTTP cannot carry' : `of the type ${typeof value}`;
    return [{ field, given, rule: 'must be a text of one line, with characters up to U+00FF' }];
  });
}
