import { map, type Subscription } from 'rxjs';
import { afterEach } from 'vitest';
import { createRunpod, type Runpod } from 'runpod-rx';
import { eventNotices, type EventNoticesOptions } from 'runpod-rx/events';
import { BASE, pageTransport } from '../proxy/support.js';
import { made as server, submission } from './support.js';

export const request = submission.body;

/** What the page's requests do beside reaching the proxy. */
export interface Network {
  /** Answers in the proxy's place; `undefined` lets the request through. */
  instead?: () => Response | undefined | Promise<never>;
  /** Whether the answer to the page's next request but for events is lost. */
  loses?: (line: string) => boolean;
  /** Changes what comes of the body. */
  body?: (body: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>;
}

/** A page's client over a proxy, without a network: the requests that it made, by line. */
export function page(
  made: ReturnType<typeof server>,
  { network = {}, user = 'ann', ...options }: EventNoticesOptions & { readonly network?: Network; user?: string } = {},
) {
  const { scheduler, handler } = made;
  const lines: string[] = [];
  const connections: { readonly at: number; readonly headers: Record<string, string>; cut: () => void }[] = [];
  const send: EventNoticesOptions['fetch'] = async (url, { signal, headers }) => {
    const cutting = new AbortController();
    const at = scheduler.now();
    connections.push({
      at,
      headers: headers as Record<string, string>,
      cut: () => {
        cutting.abort();
      },
    });
    const instead = await network.instead?.();
    if (instead) return instead;
    const given = { ...(headers as Record<string, string>), 'x-user': user };
    const all = AbortSignal.any([signal as AbortSignal, cutting.signal]);
    const answer = await handler(new Request(new URL(url, BASE), { headers: given, signal: all }));
    return network.body && answer.body ? new Response(network.body(answer.body), answer) : answer;
  };
  const notices = eventNotices('/api/runpod/events', { scheduler, fetch: send, headers: () => ({}), ...options });
  const proxy = pageTransport(handler, { 'x-user': user });
  const client = createRunpod({
    baseUrl: BASE,
    transport: Object.assign(
      (sent: Parameters<typeof proxy>[0]) => {
        const line = `${sent.method} ${new URL(sent.url).pathname.replace('/api/runpod/demo/', '')}`;
        lines.push(line);
        return proxy(sent).pipe(
          map((reply) => {
            if (network.loses?.(line)) throw new Error('the connection was cut');
            return reply;
          }),
        );
      },
      { multiplexes: true },
    ),
    scheduler,
    random: () => 0.5,
    limits: false,
    notices,
  });
  return { client, endpoint: client.endpoint('demo'), lines, connections, notices };
}

/** Subscribes, and keeps what comes. */
export function see<T>(source: { subscribe(observer: object): Subscription }) {
  const values: T[] = [];
  const seen = { values, ended: undefined as string | undefined, subscription: undefined as Subscription | undefined };
  seen.subscription = source.subscribe({
    next: (value: T) => values.push(value),
    error: (error: unknown) => (seen.ended = String(error)),
    complete: () => (seen.ended = 'completed'),
  });
  return seen;
}

const clients: Runpod[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close().subscribe();
});

export function together(options: Parameters<typeof page>[1] = {}) {
  const made = server();
  const one = page(made, options);
  clients.push(one.client, made.client);
  return { ...made, ...one, serverClient: made.client };
}
