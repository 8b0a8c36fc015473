import type { Phase } from '../types/Transport.js';

/** What follows from the outcome of a request that did not succeed. */
export interface OutcomeRule {
  /** The server cannot have acted on the request. */
  readonly refused: boolean;
  /** The same request may succeed later. The error is `retryable`, and operations that are not careful are repeated. */
  readonly retryable: boolean;
  /** The client repeats careful operations as well: submissions, reads of a stream, purges (see `operations.ts`). */
  readonly repeatCareful: boolean;
  /** A read of a stream may have taken chunks from the server, and they are lost. */
  readonly mayLoseChunks: boolean;
}

/** The rule for an HTTP status. */
export interface StatusRule extends OutcomeRule {
  /** The code of the error that the caller gets. */
  readonly code: 'http' | 'authentication' | 'not_found' | 'rate_limit' | 'body_too_large';
}

/** The server refused the request, and will refuse it again. */
const REFUSED: OutcomeRule = { refused: true, retryable: false, repeatCareful: false, mayLoseChunks: false };

/** The server did not take the request now, and may take it later. */
const NOT_NOW: OutcomeRule = { refused: true, retryable: true, repeatCareful: true, mayLoseChunks: false };

/** The server may have acted on the request before something failed. */
const UNCERTAIN: OutcomeRule = { refused: false, retryable: true, repeatCareful: false, mayLoseChunks: true };

/** The API does not document this answer, so nothing is known of what the server did. */
const UNEXPECTED: OutcomeRule = { refused: false, retryable: false, repeatCareful: false, mayLoseChunks: false };

/** The statuses that have a rule of their own. */
const byStatus: Readonly<Record<number, StatusRule>> = {
  // These two ask for the same request at another address. The client does not follow redirects.
  307: { code: 'http', ...REFUSED },
  308: { code: 'http', ...REFUSED },
  401: { code: 'authentication', ...REFUSED },
  403: { code: 'authentication', ...REFUSED },
  404: { code: 'not_found', ...REFUSED },
  408: { code: 'http', ...UNCERTAIN },
  413: { code: 'body_too_large', ...REFUSED },
  429: { code: 'rate_limit', ...NOT_NOW },
};

/** The rules for the other statuses: the first row whose `from` is at most the status. */
const byRange: readonly (StatusRule & { readonly from: number })[] = [
  { from: 500, code: 'http', ...UNCERTAIN },
  { from: 400, code: 'http', ...REFUSED },
];

const defaultRule: StatusRule = { code: 'http', ...UNEXPECTED };

/**
 * The rule for a status. To treat one status in another way, such as to repeat a 409, give it a row in `byStatus`. For a
 * 2xx, only `refused` has a meaning, and it is false.
 */
export function statusRule(status: number): StatusRule {
  return byStatus[status] ?? byRange.find(({ from }) => status >= from) ?? defaultRule;
}

/** The rule for a request without an answer, by how far it came. Without a connection, nothing reached the server. */
export function phaseRule(phase: Phase): OutcomeRule {
  return phase === 'connect' ? NOT_NOW : UNCERTAIN;
}

/** Whether the client sends a request again after this outcome. */
export function mayRepeat({ retryable, repeatCareful }: OutcomeRule, careful: boolean): boolean {
  return careful ? repeatCareful : retryable;
}
