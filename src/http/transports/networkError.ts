import { RESPONSE_TOO_LARGE, UNKNOWN_CODING } from '../../protocol/unreadableCodes.js';
import type { Phase } from '../../types/Transport.js';
import { phaseOf } from './phaseOf.js';

/** The failure of a transport. */
export interface NetworkError extends Error {
  readonly phase: Phase;
  readonly code?: string;
  /** The status of an answer that came and is not read. */
  readonly status?: unknown;
}

/**
 * A new error that tells what another error of the network says. HTTP libraries hang the whole request on their errors,
 * with the API key in its headers, so the original error is dropped.
 */
export function networkError(error: unknown, phase: Phase = phaseOf(error)): NetworkError {
  const { message, code } = describe(error);
  const unread = code === RESPONSE_TOO_LARGE || code === UNKNOWN_CODING;
  return Object.assign(new Error(message || code || 'the connection failed'), {
    phase,
    ...(code && { code }),
    ...(unread && { status: (error as { status?: unknown }).status }),
  });
}

function describe(error: unknown): { message: string; code?: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, cause } = error as Error & { code?: unknown };
  const found = typeof code === 'string' ? { code } : {};
  if (error.message) return { message: error.message, ...found };
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : cause;
  return inner ? { ...describe(inner), ...found } : { message: '', ...found };
}
