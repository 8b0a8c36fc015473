import type { Client } from './Client.js';
import type { NodeReadable } from './NodeMessages.js';

/**
 * A body as it comes from the network, read only as fast as the handler reads it. It fails when the client goes away before
 * its end. It also fails when the answer is out first: the next request on the connection comes after this body, so what is
 * left of it is dropped.
 *
 * @param own - whether the source is the request itself, rather than a stream that somebody has made of it
 */
export function bodyStream(
  source: NodeReadable,
  client: Client,
  { own }: { own: boolean },
): ReadableStream<Uint8Array> {
  return new globalThis.ReadableStream(new BodySource(source, client, own), { highWaterMark: 0 });
}

class BodySource implements UnderlyingDefaultSource<Uint8Array> {
  readonly #source: NodeReadable;
  readonly #client: Client;
  readonly #own: boolean;
  #listening = false;
  #over = false;

  constructor(source: NodeReadable, client: Client, own: boolean) {
    this.#source = source;
    this.#client = client;
    this.#own = own;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const source = this.#source;
    const { signal } = this.#client;
    const fail = (reason: unknown): void => {
      if (this.#over) return;
      this.#over = true;
      controller.error(signal.aborted ? signal.reason : reason);
    };
    const brokenOff = (reason?: unknown): void => {
      if (this.#over) return;
      // The signal aborts before the body fails, so that a handler can tell why it does.
      if (this.#own) this.#client.requestBroken();
      fail(reason ?? new TypeError('The body of the request has broken off'));
    };
    source.on('end', () => {
      if (this.#over) return;
      this.#over = true;
      controller.close();
    });
    source.on('error', brokenOff);
    source.on('close', () => brokenOff());
    signal.addEventListener('abort', () => fail(signal.reason));
    this.#client.whenAnswered(() => {
      fail(new TypeError('The body of a request cannot be read once the request has been answered'));
      source.resume();
    });
    if (source.destroyed) brokenOff();
  }

  pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const source = this.#source;
    if (!this.#listening) {
      this.#listening = true;
      source.pause();
      source.on('data', (chunk) => {
        if (this.#over) return;
        source.pause();
        controller.enqueue(bytesOf(chunk));
      });
    }
    source.resume();
  }

  /** What nobody wants is read all the same: the next request of the connection comes after it. */
  cancel(): void {
    this.#over = true;
    this.#source.resume();
  }
}

/** A chunk of Node's: bytes, or text where somebody has set an encoding. */
function bytesOf(chunk: unknown): Uint8Array {
  return typeof chunk === 'string' ? new globalThis.TextEncoder().encode(chunk) : (chunk as Uint8Array);
}
