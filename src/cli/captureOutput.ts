type Write = NodeJS.WriteStream['write'];

/** The command's own way to its output, past the capture. */
export type RawWrite = (text: string) => void;

/** An output whose writes are captured. */
export interface CapturedOutput {
  readonly stdout: RawWrite;
  readonly stderr: RawWrite;
  /** Passes on the last unfinished line, and ends the capture. */
  release(): void;
}

/**
 * Sends what handlers write to the console, to stdout and to stderr to `show`, line by line: it must neither overwrite the
 * status nor steer the terminal.
 */
export function captureOutput(process: NodeJS.Process, show: (text: string) => void): CapturedOutput {
  const streams = [process.stdout, process.stderr].map((stream) => captureStream(stream, show));
  const [stdout, stderr] = streams.map(({ write }) => write) as [RawWrite, RawWrite]; // one for each stream
  return {
    stdout,
    stderr,
    release: () => {
      for (const { release } of streams) release();
    },
  };
}

function captureStream(
  stream: NodeJS.WriteStream,
  show: (text: string) => void,
): { readonly write: RawWrite; readonly release: () => void } {
  const original: Write = stream.write.bind(stream);
  let rest = '';
  const captured = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
    const lines = (rest + Buffer.from(chunk as string).toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) show(lines.join('\n'));
    // The callback is the last argument, after an encoding that may be left out.
    const done = more.at(-1);
    if (typeof done === 'function') process.nextTick(done);
    return true;
  };
  stream.write = captured; // has the parameters of both overloads
  return {
    write: (text) => void original(text),
    release: () => {
      if (rest !== '') show(rest);
      rest = '';
      stream.write = original;
    },
  };
}
