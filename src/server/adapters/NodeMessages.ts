/**
 * Node's request and response, as far as the adapters use them. Those of `node:http`, of `node:https` and of the
 * compatibility API of `node:http2` fit, and what Express and Fastify make of them. They are described here, rather than
 * imported, because the types of this entry are also read where Node's are not installed.
 */

/** What can be listened to. */
interface Emitter {
  on(event: string, listener: (value: unknown) => void): unknown;
}

/** A stream of bytes that Node reads. */
export interface NodeReadable extends Emitter {
  readonly destroyed: boolean;
  readonly readableEnded: boolean;
  readonly readableDidRead: boolean;
  pause(): unknown;
  resume(): unknown;
  off(event: string, listener: (value: unknown) => void): unknown;
}

/** A connection. That of a TLS server is `encrypted`. */
export interface NodeSocket extends Emitter {
  readonly destroyed: boolean;
  readonly encrypted?: boolean;
  destroySoon(): void;
  resetAndDestroy(): unknown;
}

/** The stream of one request and its answer, over HTTP/2. */
export interface Http2Stream {
  readonly destroyed: boolean;
  readonly writableFinished: boolean;
  /** Whether the request's headers were all of it. */
  readonly endAfterHeaders?: boolean;
  close(code: number): unknown;
}

/** A request, such as an `IncomingMessage`. */
export interface NodeRequest extends NodeReadable {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawHeaders: readonly string[];
  readonly socket: object;
}

/** A response, such as a `ServerResponse`. */
export interface NodeResponse extends Emitter {
  statusCode: number;
  statusMessage: string;
  readonly headersSent: boolean;
  readonly socket: object | null;
  readonly writableEnded: boolean;
  getHeader(name: string): number | string | readonly string[] | undefined;
  setHeader(name: string, value: string | readonly string[]): unknown;
  removeHeader(name: string): unknown;
  /** @types/node has none for HTTP/2. */
  flushHeaders?(): void;
  /** Added by the middleware `compression`: sends what it has gathered. */
  flush?(): void;
  /** Whether Node refuses to send more or less than `content-length` says. */
  strictContentLength?: boolean;
  write(chunk: Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
}
