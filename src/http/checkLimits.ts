import { checkOptions, countOrInfinity, mustBe, oneOf, type Check, type Checks } from '../protocol/checkOptions.js';
import type { Issue } from '../protocol/checks.js';
import { misspelt } from '../protocol/didYouMean.js';
import { isRecord } from '../protocol/json.js';
import { operations } from '../protocol/operations.js';
import type { OperationLimits } from '../types/Limits.js';

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

/** Checks the option `limits`. An operation that the client does not know may have limits, unless its name is mistyped. */
export const checkLimits: Check = (limits, field) => {
  if (limits === false) return [];
  if (!isRecord(limits)) return isDocumented(limits, field);
  // The limits of an operation are an object, so a number can only be a share.
  if ('share' in limits && !isRecord(limits.share)) return checkOptions(limits, SHARE, field);
  return Object.entries(limits).flatMap(([name, row]) => [
    ...checkName(name, field),
    ...(row === undefined ? [] : checkOptions(row, OPERATION_LIMITS, `${field}.${name}`)),
  ]);
};

function checkName(name: string, field: string): Issue[] {
  const known = Object.keys(operations);
  const meant = known.includes(name) ? undefined : misspelt(name, known);
  return meant === undefined
    ? []
    : [{ field: `${field}.${name}`, given: 'an object', rule: `is unknown: did you mean ${meant}?` }];
}
