import { Observable, Subject, defer, firstValueFrom, from, of, switchMap, type ObservableInput } from 'rxjs';
import {
  createRunpod,
  type ClientOptions,
  type Reply,
  type Runpod,
  type Transport,
  type TransportRequest,
} from 'runpod-rx';
import { createProxy, type Handler, type ProxyOptions } from 'runpod-rx/server';

export const KEY = 'test-key-placeholder';
export const BASE = 'https://app.example/api/runpod';

/** A request that the proxy made of the service, which the test answers. */
export interface Asked {
  readonly request: TransportRequest;
  /** Such as `POST /demo/run`. */
  readonly line: string;
  /** Whether the proxy gave the request up before it was answered. */
  aborted: boolean;
  answer(reply: Partial<Reply> & { readonly json?: unknown }): void;
  fail(error: unknown): void;
}

/** A service whose answers the test gives, or a function that gives them at once. */
export function service(
  script?: (request: TransportRequest, line: string) => (Partial<Reply> & { json?: unknown }) | undefined,
) {
  const asked: Asked[] = [];
  const asked$ = new Subject<Asked>();
  const transport: Transport = (request) =>
    new Observable((subscriber) => {
      const url = new URL(request.url);
      const line = `${request.method} ${url.pathname.replace(/^\/v2/, '')}${url.search}`;
      const one: Asked = {
        request,
        line,
        aborted: false,
        answer: ({ status = 200, headers = {}, text, json }) => {
          answered = true;
          subscriber.next({
            status,
            headers: { 'content-type': 'application/json', ...headers },
            text: text ?? JSON.stringify(json),
          });
          subscriber.complete();
        },
        fail: (error) => {
          answered = true;
          subscriber.error(error);
        },
      };
      let answered = false;
      asked.push(one);
      const given = script?.(request, line);
      if (given) one.answer(given);
      asked$.next(one);
      return () => {
        one.aborted ||= !answered;
      };
    });
  transport.multiplexes = true;
  return {
    asked,
    transport,
    lines: () => asked.map(({ line }) => line),
    /** The next request, or one that was made already, with this line. */
    async next(line: string | RegExp): Promise<Asked> {
      const fits = (one: Asked) => (typeof line === 'string' ? one.line === line : line.test(one.line));
      const known = asked.find(fits);
      if (known) return known;
      return firstValueFrom(asked$.pipe(switchMap((one) => (fits(one) ? of(one) : []))));
    },
  };
}

/** A proxy with one endpoint, `demo`, whose users say who they are in the header `x-user`. */
export function proxied(
  transport: Transport,
  {
    client: clientOptions = {},
    demo = {},
    ...options
  }: Partial<Omit<ProxyOptions, 'client'>> & {
    client?: Partial<ClientOptions>;
    demo?: Partial<ProxyOptions['endpoints'][string]>;
  } = {},
): { readonly handler: Handler; readonly client: Runpod; ask(line: string, options?: AskOptions): Promise<Response> } {
  const client = createRunpod({ apiKey: KEY, transport, limits: false, retry: { base: 1 }, ...clientOptions });
  const handler = createProxy({
    client,
    endpoints: { demo: { operations: ['run', 'runsync', 'status', 'stream', 'cancel', 'retry', 'health'], ...demo } },
    user: (request) => request.headers.get('x-user') ?? undefined,
    ...options,
  });
  return { handler, client, ask: (line, given) => handler(pageRequest(line, given)) };
}

export interface AskOptions {
  readonly user?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** The request of a page: `pageRequest('POST demo/run', { body: { input: {} } })`. */
export function pageRequest(line: string, { user = 'ann', headers, body, signal }: AskOptions = {}): Request {
  const [method = '', path = ''] = line.split(' ');
  return new Request(`${BASE}/${path}`, {
    method,
    headers: {
      ...(user !== null && { 'x-user': user }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal && { signal }),
  });
}

/** A page's client over a handler, without a network. */
export function pageTransport(handler: Handler, headers: Record<string, string> = { 'x-user': 'ann' }): Transport {
  return Object.assign(
    ({ method, url, headers: own, body }: TransportRequest) =>
      defer(() => {
        const aborting = new AbortController();
        const reply = async (): Promise<Reply> => {
          const answer = await handler(
            new Request(url, { method, headers: { ...own, ...headers }, body: body ?? null, signal: aborting.signal }),
          );
          return { status: answer.status, headers: headersOf(answer), text: await answer.text() };
        };
        return new Observable<Reply>((subscriber) => {
          subscriber.add(() => {
            aborting.abort();
          });
          subscriber.add(from(reply() as ObservableInput<Reply>).subscribe(subscriber));
        });
      }),
    { multiplexes: true },
  );
}

/** The headers of an answer, by name. */
export function headersOf({ headers }: Response): Record<string, string> {
  const all: Record<string, string> = {};
  headers.forEach((value, name) => {
    all[name] = value;
  });
  return all;
}
