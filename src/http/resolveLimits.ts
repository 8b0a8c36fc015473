import { operations } from '../protocol/operations.js';
import type { Limits, OperationLimits } from '../types/Limits.js';

/** What keeps a client's requests within bounds, for each endpoint and operation. */
export type LimitsOption = 'documented' | Limits | { readonly share: number } | false;

/** Limits by operation; an operation that is not listed has none. */
export type ResolvedLimits = Readonly<Record<string, OperationLimits | undefined>>;

/**
 * The limits that an option stands for, which `checkLimits` has let through. A share of a documented limit is rounded down,
 * and is at least one request.
 */
export function resolveLimits(option: LimitsOption): ResolvedLimits {
  if (option === 'documented') return documentedLimits(1);
  const { share } = Object(option) as { readonly share?: unknown };
  // The limits of an operation are an object, so a number can only be a share.
  return typeof share === 'number' ? documentedLimits(share) : (Object(option) as ResolvedLimits);
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
