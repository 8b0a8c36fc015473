import { ResponseError } from './ResponseError.js';
import { RunpodError, type ErrorContext } from './RunpodError.js';

/**
 * What failed while the service was asked, as an error of this library. A foreign error, such as one that a link throws,
 * says nothing about the job, which may be asked for again.
 *
 * @param redact - takes API keys out of a text
 */
export function readError(
  error: unknown,
  context: ErrorContext,
  redact: (text: string) => string = (text) => text,
): RunpodError {
  // `instanceof` leaves open which details the error has.
  if (error instanceof RunpodError) return error as RunpodError;
  const { message = String(error) } = Object(error) as { readonly message?: unknown };
  return new ResponseError(
    `${context.operation} on endpoint ${context.endpointId ?? '?'} failed while it was read: ${redact(String(message))}`,
    { ...context, cause: error },
    { excerpt: '', retryable: true },
  );
}
