import { invalidOptions } from '../errors/invalidOptions.js';
import { mustBe } from '../protocol/checkOptions.js';
import type { Handler } from './Handler.js';

const checkHandler = mustBe(
  'a handler: what createProxy makes, or the function handle of createWebhooks',
  (value) => typeof value === 'function',
);

/** Throws where an adapter gets no handler, such as all that `createWebhooks` makes: each request would fail. */
export function assertHandler(operation: string, handler: unknown): asserts handler is Handler {
  const issues = checkHandler(handler, 'handler');
  if (issues.length) throw invalidOptions(operation, issues);
}
