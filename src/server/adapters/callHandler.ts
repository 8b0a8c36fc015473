import type { Handler, HandlerContext } from '../Handler.js';
import { refusal } from './refusal.js';
import { reportFailure } from './reportFailure.js';

/** Has a handler answer a request. Where it fails, that is reported, and the client is told no more than that it did. */
export async function callHandler(handler: Handler, request: Request, context?: HandlerContext): Promise<Response> {
  try {
    const response: unknown = await (context ? handler(request, context) : handler(request));
    if (isUsable(response)) return response;
    throw new TypeError('The handler gave no Response that can be sent');
  } catch (error) {
    reportFailure(error, request.signal);
    return internalError();
  }
}

/** The answer where the application, or what it gave, has failed. */
export function internalError(): Response {
  return refusal(500, 'internal error');
}

/** Whether a value works as a Response. Its class may be another than the platform's: some frameworks bring their own. */
function isUsable(value: unknown): value is Response {
  const { status, headers, body, bodyUsed } = (value ?? {}) as Partial<Response>;
  if (typeof status !== 'number' || status < 200 || typeof headers?.forEach !== 'function' || bodyUsed) return false;
  return body === null || (typeof body?.getReader === 'function' && !body.locked);
}
