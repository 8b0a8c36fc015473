import { assertOptions, invalidOptions } from '../errors/invalidOptions.js';
import {
  anything,
  callback,
  countOrInfinity,
  either,
  longDuration,
  nested,
  observable,
  observer,
  oneOf,
  required,
  scheduler,
  type Checks,
} from '../protocol/checkOptions.js';
import { must } from '../protocol/checks.js';
import type { PipelineOptions } from './PipelineOptions.js';
import type { RetryItemOptions } from './RetryPolicy.js';

const RETRY_ITEM: Checks<RetryItemOptions> = {
  count: required(countOrInfinity(0)),
  delay: either('function', anything, longDuration),
  on: callback,
};

/** The checks of the options of pipelines. */
export const PIPELINE: Checks<PipelineOptions> = {
  concurrency: either('object', observable, countOrInfinity(1)),
  order: oneOf('finished', 'input'),
  retry: either('object', nested(RETRY_ITEM), countOrInfinity(0)),
  onError: oneOf('item', 'throw', 'stop'),
  deadLetters: observer,
  commit: callback,
  paused: observable,
  totals: observer,
  scheduler,
};

/**
 * Throws where a runner is none, or an option is wrong: nothing is submitted then.
 *
 * @param operation - the public function that is called, for the error
 */
export function assertRunner<T extends object>(
  operation: string,
  runner: unknown,
  options: unknown,
  checks: Checks<T>,
): void {
  const { runToEnd } = Object(runner) as { readonly runToEnd?: unknown };
  const isRunner = typeof runner === 'function' || typeof runToEnd === 'function';
  const issues = must(isRunner, 'runner', runner, 'be an endpoint, or a function that runs one job');
  if (issues.length) throw invalidOptions(operation, issues);
  assertOptions(operation, options, checks);
}
