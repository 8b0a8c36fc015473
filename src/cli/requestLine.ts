import type { RequestRecord } from '../emulator/index.js';
import type { Paint } from './paint.js';
import { printable } from './printable.js';

/** A request that did not go as its client would like; `undefined` for any other. */
export function requestLine(request: RequestRecord, paint: Paint): string | undefined {
  const { method, path, status, fault, failure, aborted } = request;
  if (status !== undefined && status < 400 && fault === undefined) return undefined;
  const outcome = status ?? failure ?? (aborted ? 'the client went away' : 'no answer');
  const cause = fault === undefined ? '' : paint('dim', `  fault ${fault}`);
  // Held reads that a client gives up are everyday life.
  if (aborted && fault === undefined) return undefined;
  return `${method} ${printable(path)}  ${paint('yellow', String(outcome))}${cause}`;
}
