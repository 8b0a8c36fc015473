import { vi } from 'vitest';

/** What a page has sent by `fetch`. */
export interface Sending {
  readonly url: string;
  readonly init: RequestInit & { readonly headers: Readonly<Record<string, string>> };
}

/** In place of the network: answers by a function, and remembers what was sent. Undone after the test. */
export function stubFetch(answer: (sending: Sending) => Response | Promise<Response>): Sending[] {
  const sendings: Sending[] = [];
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const sending = { url, init: init as Sending['init'] };
    sendings.push(sending);
    return answer(sending);
  });
  return sendings;
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

/** The path of each request, without the base. */
export function paths(sendings: readonly Sending[]): string[] {
  return sendings.map(({ url }) => url.replace(/^.*\/api\/runpod\//, ''));
}
