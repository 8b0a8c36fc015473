import { EventEmitter } from 'node:events';
import type { WriteStream } from 'node:tty';
import { expect, test } from 'vitest';
import { terminalScreen } from '../../src/cli/Screen.js';

/** What a terminal of 40 columns is given for status lines. */
function drawn(status: string): string {
  let written = '';
  const stream = Object.assign(new EventEmitter(), { rows: 24, columns: 40 }) as unknown as WriteStream;
  const screen = terminalScreen((text) => void (written += text), stream, false);
  screen.status([status]);
  screen.close();
  return written;
}

test.each([
  ['line feeds', 'one\ntwo\n\nthree', 'one two  three\n'],
  ['a long text', 'x'.repeat(100), `${'x'.repeat(38)}…\n`],
  ['letters of two columns', '漢'.repeat(30), `${'漢'.repeat(19)}…\n`],
  ['emoji', '🚀'.repeat(30), `${'🚀'.repeat(19)}…\n`],
  ['what fits', '漢'.repeat(19), `${'漢'.repeat(19)}\n`],
])('a status line with %s takes one row, as many as are erased', (_name, status, row) => {
  expect(drawn(status)).toBe(row);
});
