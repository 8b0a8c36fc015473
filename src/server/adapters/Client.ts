import type { Http2Stream, NodeRequest, NodeResponse, NodeSocket } from './NodeMessages.js';
import { onSocketClosed } from './socketClosed.js';

/**
 * Who sent a request, for as long as the request is not answered. Its signal aborts when the client goes away before the
 * answer was sent completely, and never otherwise: neither when a request has been read, nor when a connection ends later.
 */
export class Client {
  readonly #controller = new AbortController();
  readonly #response: NodeResponse;
  readonly #stream: Http2Stream | undefined;
  readonly #whenAnswered: (() => void)[] = [];
  #forgetSocket = (): void => undefined;
  #state: 'waiting' | 'answered' | 'gone' = 'waiting';
  /** A `Request` alone ties its signal to ours: if it were collected, a handler that has kept the signal would hear nothing. */
  readonly #held = new Set<Request>();

  constructor(request: NodeRequest, response: NodeResponse) {
    this.#response = response;
    this.#stream = (request as { readonly stream?: Http2Stream }).stream; // only HTTP/2 has it
    response.on('close', () => this.#close());
    // Writing to a response that is over may emit this, which would end the process; 'close' has told of it.
    response.on('error', () => undefined);
    if (this.#stream) {
      if (this.#stream.destroyed) this.#leave();
    } else {
      this.#watch(request.socket as NodeSocket); // over HTTP/1.1 it is the connection itself
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Makes `request` live as long as the client waits. */
  hold(request: Request): void {
    this.#held.add(request);
  }

  /** Calls `listener` once the answer is out. */
  whenAnswered(listener: () => void): void {
    this.#whenAnswered.push(listener);
  }

  /** The request has broken off before it was read to its end. */
  requestBroken(): void {
    // Over HTTP/2 it also ends so when the answer is out and nobody has read it.
    if (this.#stream) this.#close();
    else this.#leave();
  }

  /** The answer is out, or there will be none: from now on the client may go. */
  settle(): void {
    if (!this.#become('answered')) return;
    this.#held.clear();
    for (const listener of this.#whenAnswered) listener();
  }

  #leave(): void {
    if (!this.#become('gone')) return;
    this.#controller.abort();
    this.#held.clear();
  }

  #watch(socket: NodeSocket): void {
    this.#response.on('finish', () => {
      // When a connection breaks, Node calls what waits in it finished.
      if (socket.destroyed) this.#leave();
      else this.settle();
    });
    // The responses to requests that were sent at once wait for their turn; only the first of them sees the socket close.
    this.#forgetSocket = onSocketClosed(socket, () => this.#leave());
    if (socket.destroyed) this.#leave();
  }

  #close(): void {
    // Over HTTP/2 every response "finishes" when its stream closes, however it closes.
    if (this.#stream && this.#response.writableEnded && this.#stream.writableFinished) this.settle();
    else this.#leave();
  }

  #become(state: 'answered' | 'gone'): boolean {
    if (this.#state !== 'waiting') return false;
    this.#state = state;
    this.#forgetSocket();
    return true;
  }
}
