import type { Observable } from 'rxjs';
import { writeJson } from './relayed.js';

/** An HTTP answer of the emulator. */
export interface Answer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The body in pieces, if the answer is sent piece by piece. Replaces `text`. Cold. */
  readonly body$?: Observable<string>;
}

/** An answer with a JSON body, written as the service writes JSON: no spaces, keys in the given order. */
export function json(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, text: writeJson(body) };
}

/** An answer without a body. */
export function empty(status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'text/plain', ...headers }, text: '' };
}

export const badRequest = (reason: string): Answer => json(400, { error: `bad request: ${reason}` });
export const unauthorized = (detail: 'no token provided' | 'invalid api key'): Answer =>
  json(401, { status: 401, title: 'Unauthorized', detail });
export const endpointNotFound = (): Answer => json(404, { detail: 'endpoint not found' });
export const jobNotFound = (): Answer => json(404, { error: 'job not found' });
export const notAQueueRoute = (): Answer => json(400, { error: 'not allowed for QB API' });
