import type { Answer } from '../../index.js';
import pageFiles from '#dashboard';

/** Scripts, styles and data of this origin alone, and no text that becomes HTML. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** Headers of everything that belongs to the page. */
export const PAGE_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** The answer to `GET /`: the page for browsers, and a short text for everybody else. */
export function servePage({ headers }: { readonly headers: Readonly<Record<string, string>> }): Answer {
  const isBrowser = headers.accept?.includes('text/html') ?? false;
  const [type, text] = isBrowser ? ['text/html', pageFiles.html] : ['text/plain', summaryAt(headers.host ?? '')];
  return { status: 200, headers: { ...PAGE_HEADERS, 'content-type': `${type}; charset=utf-8`, vary: 'accept' }, text };
}

/** A file of the page, by its name; `undefined` if there is none of this name. */
export function servePageFile(name: string): Answer | undefined {
  switch (name) {
    case 'page.css':
      return fileAnswer('text/css', pageFiles.css);
    case 'page.js':
      return fileAnswer('text/javascript', pageFiles.script);
    default:
      return undefined;
  }
}

function fileAnswer(type: string, text: string): Answer {
  return { status: 200, headers: { ...PAGE_HEADERS, 'content-type': `${type}; charset=utf-8` }, text };
}

function summaryAt(host: string): string {
  return `runpod-rx emulator: a local RunPod.

http://${host}/                   the dashboard, in a browser
http://${host}/v2/ENDPOINT/run    the queue API
http://${host}/__emulator/state   endpoints, counts of requests, and faults
`;
}
