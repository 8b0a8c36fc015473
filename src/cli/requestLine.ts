import type { RequestRecord } from '../emulator/index.js';
import { line, paint, type Text } from './Text.js';

/** The line for a request that was refused, failed or struck by a fault; `undefined` for any other request. */
export function requestLine(request: RequestRecord): Text | undefined {
  const { method, path, status, fault, failure, aborted } = request;
  if (status !== undefined && status < 400 && fault === undefined) return undefined;
  const outcome = status ?? failure ?? (aborted ? 'the client went away' : 'no answer');
  const cause = fault === undefined ? '' : paint('dim', `  fault ${fault}`);
  // Clients often abort held reads: not worth a line.
  if (aborted && fault === undefined) return undefined;
  return line`${method} ${path}  ${paint('yellow', String(outcome))}${cause}`;
}
