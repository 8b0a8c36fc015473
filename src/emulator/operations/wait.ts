import { WAIT } from '../../protocol/limits.js';
import { badRequest, type Answer } from '../model/answers.js';
import type { OperationCall } from './OperationCall.js';

/** How long a request is held, in milliseconds, by its query `wait`; or an answer that refuses the `wait`. */
export function waitOf({ query, endpoint }: OperationCall, byDefault: number): number | Answer {
  const text = query.get('wait');
  if (text === null || text === '') return byDefault;
  const wait = Number(text);
  if (Number.isFinite(wait) && wait >= WAIT.min && wait <= WAIT.max) return wait;
  if (endpoint.settings.variants.wait === 'reject') {
    return badRequest(`wait: must be between ${WAIT.min} and ${WAIT.max}`);
  }
  return Number.isNaN(wait) ? byDefault : Math.min(Math.max(wait, WAIT.min), WAIT.max);
}
