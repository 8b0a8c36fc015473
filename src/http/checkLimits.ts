import {
  checkOptions,
  countOrInfinity,
  having,
  mustBe,
  oneOf,
  required,
  type Check,
  type Checks,
} from '../protocol/checkOptions.js';
import { must, type Issue } from '../protocol/checks.js';
import { misspelt } from '../protocol/didYouMean.js';
import { isRecord } from '../protocol/json.js';
import { operations } from '../protocol/operations.js';
import type { OperationLimits } from '../types/Limits.js';
import type { SharedLimits } from './resolveLimits.js';

const OPERATION_LIMITS: Checks<OperationLimits> = {
  requests: countOrInfinity(1),
  per: mustBe('a number of milliseconds of at least 1', (per) => typeof per === 'number' && per >= 1 && per < Infinity),
  concurrent: countOrInfinity(1),
  perWorker: countOrInfinity(0),
};

const SHARE: Checks<{ share: number }> = {
  share: mustBe('a number above 0 and at most 1', (share) => typeof share === 'number' && share > 0 && share <= 1),
};

const isDocumented = oneOf('documented');

const SHARED: Checks<SharedLimits> = {
  budget: required(having('a budget, with a function acquire', 'acquire')),
  limits: (limits, field) => (isRecord(limits) ? checkRows(limits, field) : isDocumented(limits, field)),
};

/** Checks the option `limits`. An operation that the client does not know may have limits, unless its name is mistyped. */
export const checkLimits: Check = (limits, field) => {
  if (limits === false) return [];
  if (!isRecord(limits)) return isDocumented(limits, field);
  // The limits of an operation are an object, so a number can only be a share.
  if ('share' in limits && !isRecord(limits.share)) return checkOptions(limits, SHARE, field);
  if (isBudget(limits)) return must(false, field, limits, 'be an object that has the budget: { budget }');
  return 'budget' in limits ? checkOptions(limits, SHARED, field) : checkRows(limits, field);
};

function isBudget({ acquire }: Readonly<Record<string, unknown>>): boolean {
  return typeof acquire === 'function';
}

function checkRows(limits: Readonly<Record<string, unknown>>, field: string): Issue[] {
  return Object.entries(limits).flatMap(([name, row]) => [
    ...checkName(name, field),
    ...(row === undefined ? [] : checkOptions(row, OPERATION_LIMITS, `${field}.${name}`)),
  ]);
}

function checkName(name: string, field: string): Issue[] {
  const known = Object.keys(operations);
  const meant = known.includes(name) ? undefined : misspelt(name, known);
  return meant === undefined
    ? []
    : [{ field: `${field}.${name}`, given: 'an object', rule: `is unknown: did you mean ${meant}?` }];
}
