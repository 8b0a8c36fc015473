import { operations } from '../protocol/operations.js';
import type { Limits, OperationLimits } from '../types/Limits.js';

/** How a client's requests are bounded, for each endpoint. */
export type LimitsOption = 'documented' | Limits | { readonly share: number } | false;

/** The bounds an option stands for. A share of the documented limits is rounded down, and is at least one request. */
export function limitsOf(option: LimitsOption): Limits {
  if (option === false) return {};
  if (option === 'documented') return documented(1);
  return isShare(option) ? documented(option.share) : option;
}

export function isShare(option: LimitsOption): option is { readonly share: number } {
  return typeof option === 'object' && typeof option.share === 'number';
}

function documented(share: number): Limits {
  const part = (value: number | undefined) => value && Math.max(1, Math.floor(value * share));
  return Object.fromEntries(
    Object.entries(operations).flatMap(([name, { limits }]): [string, OperationLimits][] =>
      limits ? [[name, { ...limits, requests: part(limits.requests), concurrent: part(limits.concurrent) }]] : [],
    ),
  );
}
