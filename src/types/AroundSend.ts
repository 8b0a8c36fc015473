import type { RequestActivity } from './Activity.js';

/**
 * Runs around the sending of each request, such as in the context of a tracer: calls `send`, synchronously. What it does not
 * send, or throws, changes nothing: the request is sent in any case, once.
 */
export type AroundSend = (request: RequestActivity, send: () => void) => void;
