import { isRecord, parseJson, type JsonParser } from './json.js';
import { lacking } from './message.js';
import { guarded, type Parsed } from './Parsed.js';
import { isAboutAnother } from './snapshot.js';

/** One answer of `/stream`. */
export interface StreamReply {
  /** The job's status as the service wrote it. */
  readonly status: string;
  readonly chunks: readonly unknown[];
  /** Where the chunks stand in the stream, where a server keeps it. The service itself does not. */
  readonly kept?: KeptPlace;
}

/**
 * Where the chunks of an answer stand in a stream that a server keeps, such as a `createProxy`. It gives the same chunks again
 * to whoever asks for them, so an answer that is lost takes none with it.
 */
export interface KeptPlace {
  /** The id of what the server keeps. The places of another log say nothing about this one. */
  readonly log: string;
  /** The place of the first entry, counted from 0. A chunk takes one place, and a gap takes one. */
  readonly from: number;
  /** How many chunks there were before it. */
  readonly before: number;
  /** Where the server itself has lost chunks, which come before those of this answer. */
  readonly gap?: 'possibly' | 'certainly';
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
  return streamReplyOf(body, id);
}

/** Reads the body of an answer of `/stream`, or of what a server pushes of a stream that it keeps. */
export function streamReplyOf(body: Readonly<Record<string, unknown>>, id?: string): Parsed<StreamReply> {
  return guarded(() => readStreamReply(body, id));
}

function readStreamReply(body: Readonly<Record<string, unknown>>, id: string | undefined): Parsed<StreamReply> {
  if (isAboutAnother(body, id)) return { issue: 'is about another job' };
  const { status } = body;
  if (typeof status !== 'string') return lacking('status', body);
  const kept = keptPlaceOf(body);
  const answers: readonly unknown[] = kept && Array.isArray(body.replies) ? body.replies : [body];
  const chunks = answers.flatMap(chunksOf);
  return { value: kept ? { status, chunks, kept } : { status, chunks } };
}

function keptPlaceOf({ log, from, before, gap }: Readonly<Record<string, unknown>>): KeptPlace | undefined {
  if (typeof log !== 'string' || !isCount(from) || !isCount(before)) return undefined;
  return { log, from, before, ...((gap === 'possibly' || gap === 'certainly') && { gap }) };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function chunksOf(answer: unknown): readonly unknown[] {
  const items: readonly unknown[] = isRecord(answer) && Array.isArray(answer.stream) ? answer.stream : [];
  return items.map((item) => (isRecord(item) && Object.hasOwn(item, 'output') ? item.output : item));
}
