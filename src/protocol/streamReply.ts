import { isRecord, parseJson, type JsonParser } from './json.js';
import { lacking } from './message.js';
import { guarded, type Parsed } from './Parsed.js';
import { isAboutAnother } from './snapshot.js';

/** One answer of `/stream`. */
export interface StreamReply {
  /** The job's status as the service wrote it. */
  readonly status: string;
  readonly chunks: readonly unknown[];
}

/** How an answer of `/stream` is read. */
export interface ParseStreamOptions {
  /** The id of the job that was asked for. The service's answers do not name it; an answer that names another is an issue. */
  readonly id?: string;
  /**
   * Parses the text.
   * @defaultValue `JSON.parse`
   */
  readonly parse?: JsonParser | undefined;
}

/** Reads an answer of `/stream`. An answer without `stream` has no chunks. A falsy chunk is a chunk. */
export function parseStream(text: string, { id, parse }: ParseStreamOptions = {}): Parsed<StreamReply> {
  const body = parseJson(text, parse);
  if (!isRecord(body)) return { issue: text.trim() ? 'is not a JSON object' : 'is empty' };
  return guarded(() => readStreamReply(body, id));
}

function readStreamReply(body: Readonly<Record<string, unknown>>, id: string | undefined): Parsed<StreamReply> {
  if (isAboutAnother(body, id)) return { issue: 'is about another job' };
  if (typeof body.status !== 'string') return lacking('status', body);
  const items: readonly unknown[] = Array.isArray(body.stream) ? body.stream : [];
  return {
    value: {
      status: body.status,
      chunks: items.map((item) => (isRecord(item) && Object.hasOwn(item, 'output') ? item.output : item)),
    },
  };
}
