import { isRecord } from '../protocol/json.js';
import { operations } from '../protocol/operations.js';
import type { Budget } from '../types/Budget.js';
import type { Limits, OperationLimits } from '../types/Limits.js';

/** Limits that several processes keep together. */
export interface SharedLimits {
  /** Divides the limits among the processes: `redisBudget` of `runpod-rx/bullmq`, or `postgresBudget` of `runpod-rx/pg-boss`. */
  readonly budget: Budget;
  /**
   * What is divided: the same for all processes.
   * @defaultValue `'documented'`
   */
  readonly limits?: 'documented' | Limits;
}

/** What keeps a client's requests within bounds, for each endpoint and operation. */
export type LimitsOption = 'documented' | Limits | { readonly share: number } | SharedLimits | false;

/** Limits by operation; an operation that is not listed has none. */
export type ResolvedLimits = Readonly<Record<string, OperationLimits | undefined>>;

/**
 * The limits that an option stands for, which `checkLimits` has let through. A share of a documented limit is rounded down,
 * and is at least one request.
 */
export function resolveLimits(option: LimitsOption): ResolvedLimits {
  if (option === 'documented') return documentedLimits(1);
  if (hasBudget(option)) return resolveLimits(option.limits ?? 'documented');
  const { share } = Object(option) as { readonly share?: unknown };
  // The limits of an operation are an object, so a number can only be a share.
  return typeof share === 'number' ? documentedLimits(share) : (Object(option) as ResolvedLimits);
}

/** Whether several processes keep the limits together. */
export function hasBudget(option: LimitsOption): option is SharedLimits {
  return isRecord(option) && 'budget' in option;
}

function documentedLimits(share: number): ResolvedLimits {
  const part = (value: number | undefined) => value && Math.max(1, Math.floor(value * share));
  const rows = Object.entries(operations).map(([name, { limits }]) => {
    if (!limits) return [name, undefined] as const;
    const { requests, concurrent, perWorker } = limits;
    return [
      name,
      { ...limits, requests: part(requests), concurrent: part(concurrent), perWorker: part(perWorker) },
    ] as const;
  });
  return Object.fromEntries(rows);
}
