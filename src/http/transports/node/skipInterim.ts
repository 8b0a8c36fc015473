import type { Socket } from 'node:net';

/** The beginning of an interim answer (1xx); not of a 101, after which the connection speaks another protocol. */
const INTERIM = 'HTTP/1.1 1';
const INTERIM_HEAD = /^HTTP\/1\.[01] 1(?!01)\d\d/;

/** Where the first digit of the status is in an answer, and the digit of an interim answer. */
const STATUS_INDEX = 'HTTP/1.1 '.length;
const DIGIT_ONE = 0x31;

/** How many bytes an interim answer may have. */
const MAX_INTERIM = 16_384;

/**
 * Takes interim answers out of what a connection gives to undici, and returns the connection. A server may send
 * `100 Continue` without being asked, and HTTP has clients ignore it, but undici breaks the connection.
 *
 * An answer can begin only after something was written. So what arrives later is passed on without a look.
 */
export function skipInterim<S extends Socket>(socket: S): S {
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  const write = socket.write.bind(socket) as (...given: unknown[]) => boolean;
  let atStart = false;
  /** Bytes that may turn out to be an interim answer. */
  let held: Buffer | undefined;

  socket.write = (...given: unknown[]): boolean => {
    atStart = true;
    return write(...given);
  };
  socket.read = (size?: number): Buffer | null => {
    for (;;) {
      const part = read(size);
      if (!part || !atStart) return part;
      if (!held && beginsFinalAnswer(part)) {
        atStart = false;
        return part;
      }
      const bytes = withoutInterim(held ? Buffer.concat([held, part]) : part);
      held = bytes.incomplete;
      if (bytes.rest.length) {
        atStart = false;
        return bytes.rest;
      }
    }
  };
  return socket;
}

/** Whether no interim answer begins here: told by one byte, since it is asked for each answer. */
function beginsFinalAnswer(bytes: Buffer): boolean {
  return bytes.length > STATUS_INDEX && bytes[STATUS_INDEX] !== DIGIT_ONE;
}

/** What follows the interim answers at the beginning of some bytes, or what may become an interim answer. */
function withoutInterim(bytes: Buffer): { readonly rest: Buffer; readonly incomplete?: Buffer } {
  let rest = bytes;
  for (;;) {
    const start = rest.toString('latin1', 0, 12);
    if (start.length < 12 && INTERIM.startsWith(start.slice(0, INTERIM.length))) {
      return rest.length ? { rest: rest.subarray(rest.length), incomplete: rest } : { rest };
    }
    if (!INTERIM_HEAD.test(start)) return { rest };
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return rest.length > MAX_INTERIM ? { rest } : { rest: rest.subarray(rest.length), incomplete: rest };
    rest = rest.subarray(end + 4);
  }
}
