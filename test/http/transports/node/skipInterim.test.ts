import { Readable } from 'node:stream';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { skipInterim } from '../../../../src/http/transports/node/skipInterim.js';

/** What a reader gets of a connection that gives these parts, one by one, after a request was written. */
function readAll(parts: readonly Buffer[]): string {
  const stream = Object.assign(new Readable({ read: () => undefined }), { write: () => true });
  const socket = skipInterim(stream as unknown as Socket);
  socket.write('a request');
  let text = '';
  for (const part of parts) {
    stream.push(part);
    for (let read = socket.read() as Buffer | null; read; read = socket.read() as Buffer | null)
      text += read.toString('latin1');
  }
  return text;
}

/** A text in parts that end at random places. */
const inParts = (text: string) =>
  fc.array(fc.nat(text.length), { maxLength: 8 }).map((ends) => {
    const cuts = [0, ...ends.sort((a, b) => a - b), text.length];
    return cuts.slice(1).map((end, at) => Buffer.from(text.slice(cuts[at], end), 'latin1'));
  });

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 100 Continue\r\n\r\n';
const interims = fc
  .array(fc.constantFrom('100 Continue', '102 Processing', '103 Early Hints\r\nlink: </a>', '199'), { maxLength: 4 })
  .map((heads) => heads.map((head) => `HTTP/1.1 ${head}\r\n\r\n`).join(''));

it('S25 leaves out every interim answer before an answer, wherever the packets end, and nothing else', () => {
  fc.assert(
    fc.property(
      interims.chain((before) => inParts(before + ANSWER)),
      (parts) => {
        expect(readAll(parts)).toBe(ANSWER);
      },
    ),
  );
});

it('S25 leaves other bytes as they are', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.constantFrom('HTTP/1.1 101 Switching Protocols\r\n\r\nx', 'HTTP/2 100\r\n\r\n', 'HTTX')),
      (text) => {
        fc.pre(!/^H?$|^HT?$|^HTT?$/.test(text));
        expect(readAll([Buffer.from(text, 'latin1')])).toBe(Buffer.from(text, 'latin1').toString('latin1'));
      },
    ),
  );
});

it('S25 does not hold back an interim answer without an end', () => {
  const endless = `HTTP/1.1 100 Continue\r\nx: ${'x'.repeat(20_000)}`;
  expect(readAll([Buffer.from(endless)])).toBe(endless);
});
