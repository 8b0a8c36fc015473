import type { Reply } from '../../index.js';
import { ALWAYS, JSON_TYPE, errorAnswer } from '../jsonAnswer.js';
import { withoutWebhook } from './withoutWebhook.js';

/** A job as a text of JSON. */
export function jobAnswer(text: string): Response {
  return new Response(text, { headers: { ...ALWAYS, ...JSON_TYPE } });
}

/** What servers in front of this one obey, rather than to pass it on: they would send a file of their own in the answer's place. */
const OBEYED = /^x-(?:accel|sendfile|lighttpd|litespeed|reproxy)/;

/**
 * The service's answer, passed on: its status, its text, and the headers that say something to a client. The others belong
 * to the connection, to the service's own pages, or to the proxy.
 */
export function replyAnswer({ status, headers, text }: Reply): Response {
  // A redirect, or what is no final status, would have the browser do something else than to show it.
  if (status < 200 || (status >= 300 && status < 400) || status > 599)
    return errorAnswer(502, `the service answered ${status}`);
  const hasBody = status !== 204 && status !== 205;
  const answer = new Response(hasBody ? withoutWebhook(text) : null, { status });
  for (const [name, value] of Object.entries(headers)) {
    if (/^(content-type|retry-after|cf-ray|x-.*)$/.test(name) && !OBEYED.test(name)) setHeader(answer, name, value);
  }
  for (const [name, value] of Object.entries(ALWAYS)) answer.headers.set(name, value);
  return answer;
}

/** Sets a header, unless the platform cannot carry it: a transport may have read what the service wrote as UTF-8. */
function setHeader({ headers }: Response, name: string, value: string): void {
  try {
    headers.set(name, value);
  } catch {
    // The answer counts, and may name a job.
  }
}
