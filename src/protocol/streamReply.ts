import { isRecord, parseJson, type JsonParser } from './json.js';
import { lacking } from './message.js';
import type { Parsed } from './Parsed.js';

/** One answer of `/stream`. */
export interface StreamReply {
  /** The job's status as the service wrote it. */
  readonly status: string;
  readonly chunks: readonly unknown[];
}

/** Reads an answer of `/stream`. An answer without `stream` has no chunks. A falsy chunk is a chunk. */
export function parseStream(text: string, parse?: JsonParser): Parsed<StreamReply> {
  const body = parseJson(text, parse);
  if (!isRecord(body)) return { issue: text.trim() ? 'is not a JSON object' : 'is empty' };
  if (typeof body.status !== 'string') return lacking('status', body);
  const items: readonly unknown[] = Array.isArray(body.stream) ? body.stream : [];
  return {
    value: {
      status: body.status,
      chunks: items.map((item) => (isRecord(item) && 'output' in item ? item.output : item)),
    },
  };
}
