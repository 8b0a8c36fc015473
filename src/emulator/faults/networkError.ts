import type { Phase } from '../../types/Transport.js';

/** A failure of the network, as a transport reports it. */
export interface NetworkError extends Error {
  /** `connect`: the server cannot have seen the request. `sent`: it may have. */
  readonly phase: Phase;
  readonly code: string;
}

export function networkError(phase: Phase, code: 'ECONNREFUSED' | 'ECONNRESET'): NetworkError {
  const message = phase === 'connect' ? `connect ${code} (emulated)` : `read ${code} (emulated)`;
  return Object.assign(new Error(message), { phase, code });
}
