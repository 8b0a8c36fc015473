import { Console } from 'node:console';
import { Writable } from 'node:stream';

/** Sends console output to `line`, so that it does not overwrite the status. Returns a function that restores the console. */
export function captureConsole(line: (text: string) => void): () => void {
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      line(chunk.toString('utf8').replace(/\n$/, ''));
      done();
    },
  });
  const before = globalThis.console;
  globalThis.console = new Console({ stdout: stream });
  return () => {
    globalThis.console = before;
  };
}
