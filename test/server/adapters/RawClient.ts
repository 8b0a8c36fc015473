import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A connection on which a test says every byte itself. */
export class RawClient {
  readonly socket: Socket;
  /** All that the server has said. */
  said = '';
  readonly closed: Promise<void>;
  readonly #watchers = new Set<() => void>();

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (data) => {
      this.said += data.toString('latin1');
      for (const watcher of [...this.#watchers]) watcher();
    });
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
    onTestFinished(() => void this.socket.destroy());
  }

  send(...lines: string[]): this {
    this.socket.write(lines.join('\r\n'));
    return this;
  }

  /** Resolves with what was said, once it matches. Rejects if the connection closes before. */
  until(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!pattern.test(this.said)) return;
        this.#watchers.delete(look);
        resolve(this.said);
      };
      this.#watchers.add(look);
      void this.closed.then(() => reject(new Error(`the connection closed after ${JSON.stringify(this.said)}`)));
      look();
    });
  }

  /** Resolves with all that was said, once the server has closed the connection. */
  async untilClosed(): Promise<string> {
    await this.closed;
    return this.said;
  }

  /** Goes away as a process does that is killed. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}
