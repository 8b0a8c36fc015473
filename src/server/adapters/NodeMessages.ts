/**
 * Node's request and response, as far as the adapters use them. Those of `node:http`, of `node:https` and of the
 * compatibility API of `node:http2` fit, and what Express and Fastify make of them. They are described here, rather than
 * imported, because the types of this entry are also read where Node's are not installed.
 */

/** What can be listened to. */
interface Emitter {
  /** Calls a listener at each event. */
  on(event: string, listener: (value: unknown) => void): unknown;
}

/** A stream of bytes that Node reads. */
export interface NodeReadable extends Emitter {
  /** Whether it is over, for whatever reason. */
  readonly destroyed: boolean;
  /** Whether it was read to its end. */
  readonly readableEnded: boolean;
  /** Whether something of it was read. */
  readonly readableDidRead: boolean;
  /** Stops reading. */
  pause(): unknown;
  /** Goes on reading. */
  resume(): unknown;
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
  /** Such as `GET`. */
  readonly method?: string | undefined;
  /** The target of the request line. */
  readonly url?: string | undefined;
  /** 1, or 2. */
  readonly httpVersionMajor: number;
  /** 0 for HTTP/1.0. */
  readonly httpVersionMinor: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** The connection. */
  readonly socket: object;
}

/** A response, such as a `ServerResponse`. */
export interface NodeResponse extends Emitter {
  /** The status to send. */
  statusCode: number;
  /** The text beside the status. */
  statusMessage: string;
  /** Whether the head is out. */
  readonly headersSent: boolean;
  /** The connection, while it is this response's turn. */
  readonly socket: object | null;
  /** Whether `end` was called. */
  readonly writableEnded: boolean;
  /** A header that is to be sent. */
  getHeader(name: string): number | string | readonly string[] | undefined;
  /** Sets a header. */
  setHeader(name: string, value: string | readonly string[]): unknown;
  /** Takes a header back. */
  removeHeader(name: string): unknown;
  /** Sends the head. @types/node has none for HTTP/2. */
  flushHeaders?(): void;
  /** Added by the middleware `compression`: sends what it has gathered. */
  flush?(): void;
  /** Whether Node refuses to send more or less than `content-length` says. */
  strictContentLength?: boolean;
  /** Sends a chunk; `false` asks to wait for `drain`. */
  write(chunk: Uint8Array): boolean;
  /** Ends the answer. */
  end(): unknown;
}
