import { operationRow } from '../protocol/operations.js';
import type { CallOptions } from '../types/callOptions.js';
import type { CallRequest } from '../types/Link.js';
import type { ApiCall } from './ApiCall.js';
import type { ClientSettings } from './ClientSettings.js';

/** How long one attempt may take where `requestTimeout` is not set, in milliseconds. */
const REQUEST_TIMEOUT = { read: 30_000, command: 30_000, submission: 120_000 } as const;

/** How much longer than `holdFor` an attempt may take, in milliseconds. */
export const HELD_MARGIN = 15_000;

/** The HTTP request of an API call, but for the API key, which is added to each attempt. */
export function buildRequest(
  { base, requestTimeout }: ClientSettings,
  endpointId: string,
  call: ApiCall<unknown>,
  options: CallOptions,
): CallRequest {
  const { operation, jobId, tag, body, holdFor } = call;
  const row = operationRow(operation, call.method);
  const { method = operationRow(operation).method } = call;
  return {
    method,
    url: urlOf(`${base.path}/${endpointId}/${operation}`, jobId, [base.query, queryOf(call.query)]),
    headers: headersOf(body, options.headers),
    body,
    timeout: holdFor === undefined ? (requestTimeout ?? REQUEST_TIMEOUT[row.kind]) : holdFor + HELD_MARGIN,
    operation,
    endpointId,
    kind: row.kind,
    jobId,
    tag,
    context: options.context ?? {},
  };
}

function urlOf(path: string, jobId: string | undefined, queries: readonly string[]): string {
  const query = queries.filter(Boolean).join('&');
  return `${path}${jobId ? `/${encodeURIComponent(jobId)}` : ''}${query && `?${query}`}`;
}

function queryOf(query: ApiCall<unknown>['query']): string {
  // JavaScript callers may give `null`, here and for headers.
  if (!query) return '';
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return String(new URLSearchParams(given));
}

function headersOf(body: string | undefined, given: CallOptions['headers']): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const entries = Symbol.iterator in Object(given) ? given : Object.entries(given ?? {});
  // JavaScript callers may give no value, or a number.
  for (const [name, value] of entries as Iterable<readonly [string, unknown]>) {
    const lower = name.toLowerCase();
    if (lower === 'authorization' || value === undefined || value === null) continue;
    headers[lower] = (typeof value === 'number' ? String(value) : value) as string;
  }
  return headers;
}
