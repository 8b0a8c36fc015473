import { RESPONSE_TOO_LARGE, UNKNOWN_CODING } from '../../protocol/unreadableCodes.js';

/** The failure of a transport that does not read an answer. */
export interface UnreadableError extends Error {
  readonly code: string;
  readonly phase: 'sent';
  readonly status: number | undefined;
}

/** The error for an answer that is larger than allowed. */
export function tooLarge(maxBytes: number | string, status?: number, option = 'maxResponseBytes'): UnreadableError {
  return unreadable(
    RESPONSE_TOO_LARGE,
    `the answer is larger than ${maxBytes} bytes (option ${option}), and was cut off`,
    status,
  );
}

/** The error for an answer in a content coding that cannot be decoded. */
export function unknownCoding(coding: string, status: number): UnreadableError {
  const name = JSON.stringify(coding.slice(0, 40));
  return unreadable(UNKNOWN_CODING, `the answer has the content coding ${name}, which cannot be decoded`, status);
}

function unreadable(code: string, message: string, status: number | undefined): UnreadableError {
  return Object.assign(new Error(message), { code, phase: 'sent' as const, status });
}
