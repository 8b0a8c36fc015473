import { ConnectionError } from './ConnectionError.js';
import { HttpError } from './HttpError.js';
import { RequestTimeoutError } from './RequestTimeoutError.js';
import { ResponseError } from './ResponseError.js';
import { RunpodError } from './RunpodError.js';

/**
 * Whether a failed read of a stream may have taken chunks with it: `certainly` when the broken answer shows some,
 * `undefined` when the server cannot have handed any out (it refused, or was never reached).
 */
export function streamLoss(error: unknown): 'possibly' | 'certainly' | undefined {
  if (error instanceof ResponseError) return error.excerpt.includes('"output"') ? 'certainly' : 'possibly';
  const suspect =
    // What is not ours failed on the way, maybe after the answer came.
    !(error instanceof RunpodError) ||
    error instanceof RequestTimeoutError ||
    (error instanceof ConnectionError && error.phase === 'sent') ||
    (error instanceof HttpError && (error.status === 408 || error.status >= 500));
  return suspect ? 'possibly' : undefined;
}
