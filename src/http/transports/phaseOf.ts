import type { Phase } from '../../types/Transport.js';

/** Codes of failures before anything of the request could be sent. */
const BEFORE =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EAI_FAIL|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|UND_ERR_CLOSED|CERT_.+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.+|ERR_TLS_CERT_ALTNAME_INVALID)$/;

/** Messages that say the same: the library's code does not. A proxy did not open a tunnel; a TLS handshake was not finished. */
const BEFORE_IN_WORDS =
  /^Proxy response \(\d+\) !== 200 when HTTP Tunneling$|disconnected before secure TLS connection was established$/;

/**
 * How far a request had come when Node's network failed. `connect` is said only where it is certain: by the system call
 * that failed, or a code that no open connection can give.
 */
export function phaseOf(error: unknown): Phase {
  let found: Phase = 'sent';
  for (let at: unknown = error, depth = 0; typeof at === 'object' && at !== null && depth < 4; depth++) {
    const { phase, code, syscall, errors, cause, message } = at as Record<string, unknown>;
    if (phase === 'connect' || phase === 'sent') return phase;
    // An open connection can give the same codes: the system call that failed decides.
    if (syscall) return syscall === 'connect' || syscall === 'getaddrinfo' ? 'connect' : 'sent';
    if (typeof code === 'string' && (BEFORE.test(code) || BEFORE_IN_WORDS.test(String(message)))) found = 'connect';
    // Several addresses were tried (AggregateError): each must have failed to connect.
    if (Array.isArray(errors) && errors.length)
      return errors.every((one) => phaseOf(one) === 'connect') ? 'connect' : 'sent';
    at = cause;
  }
  return found;
}
