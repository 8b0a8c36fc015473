import type { JsonParser } from '../../index.js';
import { isJobId } from '../../protocol/checks.js';

/** The members of a posted job that are looked at. */
export interface PostedJob {
  readonly id: string;
  readonly status: unknown;
  /** The job as `/status` shows it. */
  readonly job: Readonly<Record<string, unknown>>;
}

/** Reads a posted job; a text says what is wrong with it. Throws nothing. */
export function parseJob(bytes: Uint8Array, parse: JsonParser): PostedJob | string {
  let body: unknown;
  try {
    body = parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return 'the body is not JSON';
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'the body is not a JSON object';
  // The URL holds the token, and this object goes on as the raw answer of errors and logs. The input is as long as the
  // output, and the answer to a read has neither.
  const { webhook: _webhook, input: _input, ...job } = body as Readonly<Record<string, unknown>>;
  const { id, status } = job;
  if (!isJobId(id)) return 'the body has no id of a job';
  return { id, status, job };
}
