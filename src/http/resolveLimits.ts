import { operations } from '../protocol/operations.js';
import type { Limits, OperationLimits } from '../types/Limits.js';

/** How a client's requests are bounded, for each endpoint. */
export type LimitsOption = 'documented' | Limits | { readonly share: number } | false;

/** The bounds on operations; those without one are not bounded. */
export type Bounds = Readonly<Record<string, OperationLimits | undefined>>;

/**
 * The bounds an option stands for; `undefined` for a share that is none. A share of the documented limits is rounded
 * down, and is at least one request.
 */
export function resolveLimits(option: LimitsOption): Bounds | undefined {
  const { share } = option === 'documented' ? { share: 1 } : (Object(option) as { readonly share?: unknown });
  if (typeof share !== 'number') return Object(option) as Bounds;
  if (!(share > 0 && share <= 1)) return undefined;
  const part = (value: number | undefined) => value && Math.max(1, Math.floor(value * share));
  return Object.fromEntries(
    Object.entries(operations).map(([name, { limits }]) => [
      name,
      limits && {
        ...limits,
        requests: part(limits.requests),
        concurrent: part(limits.concurrent),
        perWorker: part(limits.perWorker),
      },
    ]),
  );
}
