import type { KeptPlace, StreamReply } from '../protocol/streamReply.js';

/** An answer from a stream that the server keeps. */
export type KeptReply = StreamReply & { readonly kept: KeptPlace };

/** Where a reader goes on in a stream that the server keeps. */
export interface LogPlace {
  readonly log: string;
  readonly at: number;
}

/** The place after an answer. */
export function placeAfter({ kept: { log, from, gap }, chunks }: KeptReply): LogPlace {
  return { log, at: from + (gap ? 1 : 0) + chunks.length };
}

/** The later of two places of a log; of two logs, the place in the second. */
export function later(one: LogPlace | undefined, other: LogPlace): LogPlace {
  return one?.log === other.log && one.at > other.at ? one : other;
}

export function isKeptReply(reply: StreamReply): reply is KeptReply {
  return reply.kept !== undefined;
}

/** What of an answer a reader has not had yet. */
export interface News {
  readonly chunks: readonly unknown[];
  /** Whether chunks are missing before these. */
  readonly loss?: 'possibly' | 'certainly' | undefined;
  /** How many chunks the stream had before these, where the reader has not had so many. */
  readonly before?: number;
}

/**
 * What an answer brings to a reader.
 *
 * @param place - where the reader is in the log; `undefined` where it has had nothing of any log
 * @param received - how many chunks the reader has had
 */
export function newsFor(reply: KeptReply, place: LogPlace | undefined, received: number): News {
  const { kept, chunks } = reply;
  if (!place) return newsForCount(reply, received);
  // The server keeps another log than before, so it has not seen all of the stream.
  if (place.log !== kept.log)
    return { chunks, loss: 'possibly', ...(kept.before > received && { before: kept.before }) };
  const known = place.at - kept.from;
  if (known < 0) return { chunks, loss: 'certainly', before: kept.before };
  if (!kept.gap) return { chunks: chunks.slice(known) };
  return known ? { chunks: chunks.slice(known - 1) } : { chunks, loss: kept.gap };
}

function newsForCount({ kept: { before, gap }, chunks }: KeptReply, received: number): News {
  const known = received - before;
  if (known < 0) return { chunks, loss: 'certainly', before };
  // The server has seen fewer chunks than the reader, so its log began later.
  if (known > chunks.length) return { chunks, loss: 'possibly' };
  return { chunks: chunks.slice(known), loss: known ? undefined : gap };
}
