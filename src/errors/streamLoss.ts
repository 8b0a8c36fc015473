import { statusRule } from '../protocol/statusRules.js';
import { HttpError } from './HttpError.js';
import { ResponseError } from './ResponseError.js';
import { RunpodError } from './RunpodError.js';
import { unansweredRule } from './unansweredRule.js';

/**
 * Whether a failed read of a stream may have taken chunks from the server. `certainly`: the unreadable answer shows some.
 * `undefined`: the server cannot have handed any out, because it refused the request or was never reached.
 */
export function streamLoss(error: unknown): 'possibly' | 'certainly' | undefined {
  if (error instanceof ResponseError) return error.excerpt.includes('"output"') ? 'certainly' : 'possibly';
  // An error that is not the library's own may have been thrown after the answer came.
  if (!(error instanceof RunpodError)) return 'possibly';
  const rule = error instanceof HttpError ? statusRule(error.status) : unansweredRule(error);
  return rule?.mayLoseChunks ? 'possibly' : undefined;
}
