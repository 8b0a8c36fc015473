import type { Phase } from '../../types/Transport.js';
import { phaseOf } from './phaseOf.js';

/**
 * What a transport's failure tells, as a new error: HTTP libraries hang the whole request on theirs, with the key in its
 * headers, so the original goes no further.
 */
export interface NetworkError extends Error {
  readonly phase: Phase;
  readonly code?: string;
}

export function networkError(error: unknown, phase: Phase = phaseOf(error)): NetworkError {
  const { message, code } = describe(error);
  return Object.assign(new Error(message || code || 'the connection failed'), { phase, ...(code && { code }) });
}

function describe(error: unknown): { message: string; code?: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, cause } = error as Error & { code?: unknown };
  const found = typeof code === 'string' ? { code } : {};
  if (error.message) return { message: error.message, ...found };
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : cause;
  return inner ? { ...describe(inner), ...found } : { message: '', ...found };
}
