import fc from 'fast-check';
import type { Reply } from 'runpod-rx';

/**
 * Answers and texts that no honest service sends: pages of gateways, answers about other jobs, and texts that are made to
 * cost time, memory or a stack. For the tests of parsers, and for histories of jobs.
 */

const html = (title: string) =>
  `<!DOCTYPE html>\r\n<html><head><title>${title}</title></head><body><h1>${title}</h1><p>endpoint, job</p></body></html>`;

/** Pages that stand in place of the service's answer, by name. */
export const pages = {
  'a gateway without a route': { status: 404, text: html('404 Not Found') },
  'a firewall': { status: 403, text: html('Access denied | Firewall') },
  'a proxy that wants a login': { status: 401, text: html('401 Authorization Required') },
  'a gateway that refuses the request': { status: 400, text: html('400 Bad Request') },
  'a login page': { status: 200, text: html('Sign in') },
  'a login page without a doctype': { status: 200, text: '  \n<form action="/login"></form>' },
  'a store that answers in XML': { status: 403, text: '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>' },
  'a gateway whose JSON has other fields': { status: 404, text: '{"errors":[{"code":"no_route"}],"path":"/v2"}' },
  'a page that begins with words': {
    status: 404,
    text: 'Sorry.<html></html>',
    headers: { 'content-type': 'text/html; charset=utf-8' },
  },
} as const satisfies Readonly<Record<string, Pick<Reply, 'status' | 'text'> & { headers?: Reply['headers'] }>>;

export type PageName = keyof typeof pages;

/** A page as an answer. */
export function pageReply(name: PageName): Reply {
  const page: Pick<Reply, 'status' | 'text'> & { headers?: Reply['headers'] } = pages[name];
  return { headers: { 'content-type': 'text/html' }, ...page };
}

/** Any of the pages. */
export const anyPage: fc.Arbitrary<Reply> = fc.constantFrom(...(Object.keys(pages) as PageName[])).map(pageReply);

/** The answer to a call about a job, as an answer about another job: the body with another id. */
export function foreignReply(reply: Reply, id = 'somebody-elses-job'): Reply {
  const body = JSON.parse(reply.text) as object;
  return { ...reply, text: JSON.stringify({ ...body, id }) };
}

/** Texts that are made to cost much, each of about `size` characters. Those of `error` are the `error` of a failed job. */
export const hostileTexts = {
  'spaces between words': (size) => `boom${' '.repeat(size)}x`,
  'spaces before an end': (size) => `${' '.repeat(size)}}`,
  'line feeds after handler': (size) => `handler: ${'\n'.repeat(size)}x`,
  'beginnings of a traceback': (size) => `handler: ${repeated('\ntraceback:', size)}`,
  'colons and commas before JSON': (size) => `boom${repeated(' ,:', size)}{"message":"x"}`,
  'spaces between words before JSON': (size) => `boom${' '.repeat(size)}x{"message":"x"}`,
  'open braces': (size) => repeated('{', size),
  'open brackets': (size) => repeated('[', size),
  'braces that close': (size) => repeated('{}', size),
  'titles without an end': (size) => repeated('<title', size),
  'titles with an end': (size) => repeated('<title>', size),
  'tags without an end': (size) => repeated('<', size),
  'controls between letters': (size) => repeated('a\u0000', size),
  'escape sequences': (size) => repeated('\u001b[31m', size),
  'lone surrogates': (size) => repeated('\ud800', size),
  'surrogate pairs': (size) => repeated('😀', size),
  'controls of direction': (size) => repeated('\u202e', size),
  'a class without an end': (size) => JSON.stringify({ error_type: `<class '${'x'.repeat(size)}` }),
  'details in details': (size) => nested('{"detail":', '{}', size),
  'details in details, with words at the bottom': (size) => nested('{"detail":', '"x"', size),
  'errors in errors': (size) => nested('{"error":', '"x"', size),
  'lists in lists': (size) => nested('[', '0', size, ']'),
  'every field in every field': (size) => everyField(size),
  'JSON in JSON strings': (size) => inStrings(size),
  'a long string of JSON in strings': (size) => inStrings(10_000, 'x'.repeat(size)),
  'many members': (size) => `{${Array.from({ length: size / 12 }, (_, n) => `"k${n}":${n}`).join()}}`,
  'many items': (size) => `[${repeated('0,', size)}0]`,
  'a long word': (size) => 'x'.repeat(size),
  'a number without end': (size) => '9'.repeat(size),
} satisfies Readonly<Record<string, (size: number) => string>>;

export type HostileName = keyof typeof hostileTexts;
export const hostileNames = Object.keys(hostileTexts) as HostileName[];

/** Any of the texts, and mixtures of what they are made of, with up to `size` characters. */
export function anyHostileText(size: number): fc.Arbitrary<string> {
  const piece = fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      '\\"',
      ':',
      ',',
      ' ',
      '\n',
      '\t',
      '\r',
      '<',
      '>',
      '<title',
      '</title>',
      '0',
      '-',
    ],
    ...[
      'handler: ',
      '\ntraceback: ',
      "<class '",
      "'>",
      '{"error":',
      '{"detail":',
      '{"title":"t","detail":',
      'endpoint',
    ],
    ...['\u0000', '\u001b[2J', '\u009b', '\u202e', '\u2066', '\ufeff', '\ud800', '\udc00', '😀', 'é', 'x'],
  );
  const runs = fc
    .array(fc.tuple(piece, fc.integer({ min: 1, max: 200 })), { maxLength: 30 })
    .map((pieces) => pieces.map(([text, times]) => text.repeat(times)).join(''));
  const named = fc
    .tuple(fc.constantFrom(...hostileNames), fc.integer({ min: 1, max: size }))
    .map(([name, length]) => hostileTexts[name](length));
  return fc.oneof(runs, named, fc.string({ unit: 'binary' })).map((text) => text.slice(0, size));
}

/** Any JSON value, with the fields that the parsers look at, and numbers that no count can be. */
export const anyHostileJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constantFrom<unknown>(
      null,
      true,
      0,
      -1,
      1.5,
      1e300,
      2 ** 31,
      2 ** 53,
      '',
      'COMPLETED',
      'FAILED',
      'IN_QUEUE',
      {},
      [],
    ),
    anyHostileText(300),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.constantFrom(
        ...['id', 'status', 'output', 'stream', 'error', 'message', 'detail', 'title', 'error_message', 'error_type'],
        ...['delayTime', 'executionTime', 'retries', 'workerId', 'jobs', 'workers', 'removed', 'inQueue', 'idle'],
        ...['__proto__', 'constructor', 'toString', 'toJSON', 'then'],
      ),
      tie('value'),
      { maxKeys: 8 },
    ),
  ),
})).value;

function repeated(piece: string, size: number): string {
  return piece.repeat(Math.ceil(size / piece.length));
}

function nested(begin: string, middle: string, size: number, end = '}'): string {
  const depth = Math.ceil(size / (begin.length + end.length));
  return begin.repeat(depth) + middle + end.repeat(depth);
}

/** An object whose known fields all hold such an object, as deep as the size allows. */
function everyField(size: number): string {
  const fields = ['detail', 'error_message', 'error', 'message', 'title'];
  let text = '{}';
  while (text.length * fields.length < size) text = `{${fields.map((field) => `"${field}":${text}`).join()}}`;
  return text;
}

/** JSON in a string of JSON, as often as the size allows: each level doubles the backslashes. */
function inStrings(size: number, words = 'x'): string {
  let text = JSON.stringify({ error: words });
  for (;;) {
    const next = JSON.stringify({ error: text });
    if (next.length > size + words.length) return text;
    text = next;
  }
}
