import type { NodeRequest, NodeResponse } from './NodeMessages.js';

/** Headers that middleware before us may have set for good reasons, and that the answer adds to. */
const ADDED_TO = new Set(['set-cookie', 'vary']);

/**
 * Puts an answer's status and headers on a response. What middleware has put there stays, unless the answer has a header of
 * the same name. Throws if Node refuses a header, and then none of the answer's is there.
 */
export function setHead({ status, statusText, headers }: Response, message: NodeRequest, response: NodeResponse): void {
  const all = new Map<string, string[]>();
  headers.forEach((value, name) => {
    all.set(name, [...(all.get(name) ?? (ADDED_TO.has(name) ? valuesOf(response, name) : [])), value]);
  });
  // How the body is cut into pieces on this connection is Node's affair.
  all.delete('transfer-encoding');
  try {
    for (const [name, values] of all) response.setHeader(name, name === 'set-cookie' ? values : values.join(', '));
  } catch (error) {
    for (const name of all.keys()) response.removeHeader(name);
    throw error;
  }
  response.statusCode = status;
  // HTTP/2 has no such text, and Node warns about it.
  if (statusText && message.httpVersionMajor < 2) response.statusMessage = statusText;
}

function valuesOf(response: NodeResponse, name: string): string[] {
  const value = response.getHeader(name);
  if (value === undefined) return [];
  return typeof value === 'object' ? [...value] : [String(value)];
}
