import { assertHandler } from '../assertHandler.js';
import type { Handler, HandlerContext } from '../Handler.js';
import { callHandler } from './callHandler.js';
import { isForm, lostBody } from './parsedBody.js';
import { refusal } from './refusal.js';

/** A context of Hono's, as far as the adapter uses it. */
export interface HonoContext {
  /** The request, and what Hono keeps of its body. */
  readonly req: {
    readonly raw: Request;
    /** The body, also when Hono has read it already. */
    arrayBuffer(): Promise<ArrayBuffer>;
  };
  /** The platform's own; reading it throws where there is none. */
  readonly executionCtx: {
    /** Keeps the runtime from ending what still runs. */
    waitUntil(work: Promise<unknown>): void;
  };
}

/**
 * Puts a {@link Handler} on Hono, on any platform. The handler gets the platform's own request; on Workers, and wherever else
 * there is one, it gets `waitUntil`, too.
 *
 * A body that middleware has read by `c.req` is used. A form that was read is refused with 400.
 *
 * Whether the request's `signal` aborts when the client goes away depends on the platform; over {@link toNode} it does. A
 * handler that throws is answered with 500, as there.
 *
 * @example
 * ```ts
 * app.all('/api/runpod/*', toHono(handler));
 * ```
 */
export function toHono(handler: Handler): (context: HonoContext) => Promise<Response> {
  assertHandler('toHono', handler);
  return async (context) => {
    const request = await withBody(context.req);
    return 'status' in request ? request : callHandler(handler, request, contextOf(context));
  };
}

/** The request itself, or, if its body was read, another one with what Hono has kept of it. */
async function withBody(req: HonoContext['req']): Promise<Request | Response> {
  const { raw } = req;
  if (!raw.bodyUsed) return raw;
  const type = raw.headers.get('content-type') ?? '';
  try {
    if (isForm(type)) return refusal(400, lostBody(type)); // Hono's copy has another boundary
    const body = await req.arrayBuffer();
    const headers = new globalThis.Headers(raw.headers);
    headers.delete('transfer-encoding');
    headers.set('content-length', String(body.byteLength));
    const request = new globalThis.Request(raw, { headers, body });
    // It follows the signal of the first for only as long as it lives itself.
    raw.signal.addEventListener('abort', () => request);
    return request;
  } catch {
    return refusal(400, lostBody(type));
  }
}

function contextOf(context: HonoContext): HandlerContext | undefined {
  try {
    const { executionCtx } = context;
    return { waitUntil: (work) => executionCtx.waitUntil(work) };
  } catch {
    return undefined;
  }
}
