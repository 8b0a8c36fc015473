import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP answer. A string is sent as it is, any other body as JSON; `parts` are sent instead of a body, one by one. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: unknown;
  readonly parts?: readonly Uint8Array[];
}

/**
 * What the server does with a request. An answer; a promise of an answer; a function that makes it from the request; or
 * - `hang`: reads it and never answers,
 * - `reset-before`: breaks the connection without reading the body,
 * - `reset`: reads it to its end, then breaks the connection,
 * - `cut`: begins an answer, then breaks the connection.
 */
export type Step =
  | Answer
  | 'hang'
  | 'reset-before'
  | 'reset'
  | 'cut'
  | Promise<Answer>
  | ((request: SeenRequest) => Answer | 'hang' | 'reset-before' | 'reset' | 'cut');

/** The steps of each operation, in order; the last step is repeated. A single step needs no list. */
export type Script = Readonly<Record<string, Step | readonly Step[]>>;

/** A request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly operation: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, in the order and spelling of the request. */
  readonly rawHeaders: readonly string[];
  body: string;
  /** `gone`: the client closed the connection before it was answered. */
  state: 'reading' | 'waiting' | 'answered' | 'broken' | 'gone';
}

export interface ScriptedServer {
  /** Such as `http://127.0.0.1:41234`. */
  readonly origin: string;
  /** The base URL for a client. */
  readonly baseUrl: string;
  readonly port: number;
  /** All requests so far, or those of one operation. */
  seen(operation?: string): SeenRequest[];
  /** How many requests wait for an answer which only the test can bring about. */
  readonly waiting: number;
  /** Resolves as soon as the condition is true. It is checked whenever a request changes its state. */
  until(condition: () => unknown): Promise<void>;
  /** Ends every connection. Resolves when the port is free. */
  close(): Promise<void>;
}

const OPERATIONS = ['run', 'runsync', 'status', 'status-sync', 'stream', 'cancel', 'retry', 'health', 'purge-queue'];

/** The operation that a path names, whatever precedes it. */
function operationOf(path: string): string {
  const segments = path.replace(/\?.*/s, '').split('/');
  return segments.filter((segment) => OPERATIONS.includes(segment)).at(-1) ?? segments.at(-1) ?? '';
}

/** A server on 127.0.0.1 that plays a script and records the requests. */
export async function scriptedServer(script: Script = {}, port = 0): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const watchers = new Set<() => void>();
  const played = new Map<string, number>();
  const changed = (): void => {
    for (const watcher of [...watchers]) watcher();
  };

  const nextStep = (operation: string): Step => {
    const scripted = script[operation] ?? { status: 404, body: `nothing is scripted for ${operation}` };
    const steps = Array.isArray(scripted) ? (scripted as readonly Step[]) : [scripted as Step];
    const turn = played.get(operation) ?? 0;
    played.set(operation, turn + 1);
    return steps[Math.min(turn, steps.length - 1)]!;
  };

  const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = message.url ?? '';
    const request: SeenRequest = {
      method: message.method ?? '',
      path,
      operation: operationOf(path),
      headers: message.headers,
      rawHeaders: message.rawHeaders,
      body: '',
      state: 'reading',
    };
    requests.push(request);
    const become = (state: SeenRequest['state']): void => {
      request.state = state;
      changed();
    };
    response.on('close', () => {
      if (request.state === 'reading' || request.state === 'waiting') become('gone');
    });
    const scripted = nextStep(request.operation);
    const breakOff = (): void => {
      become('broken');
      message.socket.resetAndDestroy();
    };
    if (scripted === 'reset-before') {
      breakOff();
      return;
    }
    request.body = await bodyOf(message);
    const step = typeof scripted === 'function' ? scripted(request) : scripted;
    if (step === 'reset' || step === 'reset-before') {
      breakOff();
    } else if (step === 'cut') {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"id":"job-1",', breakOff);
    } else {
      become('waiting');
      if (step === 'hang') return;
      const answer = await step;
      if (request.state !== 'waiting') return;
      become('answered');
      write(response, answer);
    }
  };

  const server = createServer((message, response) => {
    // A client that disconnects while its body is read also closes the response, which sets the state.
    serve(message, response).catch(() => undefined);
  });
  // Clients reuse connections. A connection that closes when a request is sent would look like a lost request.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${bound}`;

  return {
    origin,
    baseUrl: `${origin}/v2`,
    port: bound,
    seen: (operation) => requests.filter((request) => !operation || request.operation === operation),
    get waiting() {
      return requests.filter(({ state }) => state === 'waiting').length;
    },
    until: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!condition()) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = await scriptedServer();
  await server.close();
  return server.port;
}

/** An answer that comes when the test says so. */
export function held(answer: Answer): { readonly step: Promise<Answer>; readonly release: () => void } {
  let release = (): void => undefined;
  const step = new Promise<Answer>((resolve) => {
    release = () => {
      resolve(answer);
    };
  });
  return { step, release: () => release() };
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

function write(response: ServerResponse, { status = 200, headers = {}, body = '', parts }: Answer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  const rest = parts ?? [Buffer.from(text)];
  const next = (index: number): void => {
    const part = rest[index];
    // Each part goes out in a packet of its own.
    if (part) response.write(part, () => setImmediate(next, index + 1));
    else response.end();
  };
  response.socket?.setNoDelay(true);
  if (rest.length > 1) next(0);
  else response.end(rest[0]);
}
