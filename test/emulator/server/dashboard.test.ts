import { lastValueFrom, tap } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { startEmulator } from 'runpod-rx/emulator';
import type { EmulatorOptions, ListeningEmulator } from 'runpod-rx/emulator';
import { eventNotices } from 'runpod-rx/events';
import { fetchTransport } from 'runpod-rx/fetch';
import type { FeedEvent } from '../../../src/emulator/server/dashboard/FeedEvent.js';

const running: ListeningEmulator[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((emulator) => emulator.close()));
});

async function start(options: Partial<EmulatorOptions> = {}): Promise<ListeningEmulator> {
  const emulator = await startEmulator({ endpoints: { demo: { handler: () => 'done' } }, ...options });
  running.push(emulator);
  return emulator;
}

const KEY = 'test-key-placeholder';
const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`me:${key}`).toString('base64')}` });
const browser = { accept: 'text/html,application/xhtml+xml' };

/** Reads the events of the feed until those that have come are what is looked for. */
async function follow(url: string, query: string, isFound: (events: readonly FeedEvent[]) => boolean, headers = {}) {
  const { body } = await fetch(`${url}/__emulator/dashboard/events?${query}`, { headers });
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of body!) {
    text += decoder.decode(part, { stream: true });
    const whole = text.split('\n\n').slice(0, -1);
    const events = whole.map((event) => JSON.parse(event.replace(/^data: /, '')) as FeedEvent);
    if (isFound(events)) return events;
  }
  throw new Error('the feed ended');
}

const run = (url: string, path: string, input: object = { x: 1 }, headers = {}) =>
  fetch(`${url}${path}/demo/run`, { method: 'POST', body: JSON.stringify({ input }), headers });

describe('the page', () => {
  test('is what a browser gets at the root: of this origin alone, and with nothing that becomes HTML', async () => {
    const { url } = await start();
    const answer = await fetch(url, { headers: browser });
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const policy = answer.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'; require-trusted-types-for 'script'");
    const html = await answer.text();
    expect(html).toContain('<title>runpod-rx emulator</title>');
    const own = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
    expect(own.filter((address) => !/^(#|data:|\.\/__emulator\/dashboard\/page\.(js|css)$)/.test(address))).toEqual([]);
    for (const file of ['page.js', 'page.css']) {
      const part = await fetch(`${url}/__emulator/dashboard/${file}`);
      expect([part.status, part.headers.get('x-content-type-options')]).toEqual([200, 'nosniff']);
      expect((await part.text()).length).toBeGreaterThan(1_000);
    }
  });

  test('is a short text for everybody else', async () => {
    const { url } = await start();
    const answer = await fetch(url);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await answer.text()).toContain(`${url}/v2/ENDPOINT/run`);
  });

  test('has no other files, and no other methods', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/__emulator/dashboard/other.js`)).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  });
});

describe('with keys', () => {
  const addresses = ['/', '/__emulator/dashboard/page.js', '/__emulator/dashboard/events'];

  test.each(addresses)('%s asks for one, on this machine, too', async (path) => {
    const { url } = await start({ keys: [KEY] });
    for (const headers of [{}, basic('another-key'), { authorization: 'Basic' }]) {
      const answer = await fetch(url + path, { headers: { ...browser, ...headers } });
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Basic /)]);
      expect(await answer.text()).toContain('as the password');
    }
  });

  test('the password of a browser is the key, for what the page sends, too', async () => {
    const emulator = await start({ keys: [KEY] });
    expect((await fetch(emulator.url, { headers: { ...browser, ...basic(KEY) } })).status).toBe(200);
    expect((await run(emulator.url, '/__emulator/dashboard/v2')).status).toBe(401);
    expect((await run(emulator.url, '/__emulator/dashboard/v2', {}, basic(KEY))).status).toBe(200);
    expect(emulator.jobs()).toHaveLength(1);
  });

  test('a key for some endpoints submits to no others', async () => {
    const emulator = await start({ keys: [{ key: KEY, endpoints: ['other'] }] });
    expect((await run(emulator.url, '/__emulator/dashboard/v2', {}, basic(KEY))).status).toBe(404);
    expect(emulator.jobs()).toEqual([]);
  });
});

describe('what the page sends', () => {
  test('is in no ledger, within no limits, and struck by no fault of requests', async () => {
    const emulator = await start({
      limits: { run: { requests: 1 } },
      latency: 3_600_000,
      faults: { 'empty-502': 1 },
    });
    for (let at = 0; at < 3; at++) {
      expect((await run(emulator.url, '/__emulator/dashboard/v2', { at })).status).toBe(200);
    }
    expect(emulator.jobs()).toHaveLength(3);
    expect(emulator.requests()).toEqual([]);
    expect(emulator.state().requests.total).toBe(0);
  });

  test('cannot take the place of a worker', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/__emulator/dashboard/v2/demo/job-take/w1`)).status).toBe(404);
    expect((await fetch(`${url}/__emulator/dashboard/v2/demo`)).status).toBe(404);
  });

  test('is followed by `eventNotices`: its end comes without a poll', async () => {
    let end = (): void => undefined;
    const emulator = await start({
      endpoints: { demo: () => new Promise((resolve) => (end = () => resolve('done'))) },
    });
    const base = `${emulator.url}/__emulator/dashboard/v2`;
    const client = createRunpod({
      baseUrl: base,
      apiKey: 'any',
      transport: fetchTransport(),
      notices: eventNotices(`${base}/events`),
    });
    const seen: string[] = [];
    // By itself the client would read the job once an hour.
    const job = client.endpoint('demo').job({ input: { x: 1 } }, { every: 3_600_000 });
    const followed = lastValueFrom(job.state$.pipe(tap(({ status }) => seen.push(status))));
    await expect.poll(() => seen).toContain('IN_PROGRESS');
    end();
    expect(await followed).toMatchObject({ status: 'COMPLETED', output: 'done' });
    client.close().subscribe();
  });

  test('is told of to a page that is connected already', async () => {
    const { url } = await start();
    const { body } = await fetch(`${url}/__emulator/dashboard/v2/events`);
    await run(url, '/v2');
    const answer = await run(url, '/__emulator/dashboard/v2');
    const { id } = (await answer.json()) as { id: string };
    let text = '';
    for await (const part of body!) {
      text += new TextDecoder().decode(part);
      if (text.includes('"COMPLETED"')) break;
    }
    const [hello, ...events] = text.trim().split('\n\n');
    expect(hello).toBe('event: hello\ndata: {}');
    const told = events.map((event) => JSON.parse(event.replace(/^event: job\ndata: /, '')) as object);
    expect(told.at(-1)).toMatchObject({ job: { id, output: 'done', status: 'COMPLETED' }, follows: 'changes' });
    // A client's job is not the page's.
    expect(told.filter((event) => !('job' in event && (event.job as { id: string }).id === id))).toEqual([]);
  });
});

describe('the feed', () => {
  test('tells of a job over a connection of its own, as it happens', async () => {
    const emulator = await start({
      endpoints: {
        demo: async function* () {
          yield 'one';
          yield { two: '<b>2</b>' };
        } as never,
      },
    });
    const { id } = (await (await run(emulator.url, '/v2', { text: 'hello' })).json()) as { id: string };
    const events = await follow(emulator.url, `job=${id}`, (all) => all.some(({ details }) => details?.end));
    expect(events[0]).toMatchObject({ state: { endpoints: { demo: {} } }, jobs: { ids: [id], total: 1 } });
    const details = events.flatMap((event) => event.details ?? []).at(-1)!;
    expect(details).toMatchObject({ id, status: 'COMPLETED', operation: 'run', input: { text: '{"text":"hello"}' } });
    expect(details.requests).toMatchObject([{ method: 'POST', operation: 'run', status: 200, jobId: id }]);
    const chunks = events.flatMap((event) => event.chunks?.items ?? []).map(({ text }) => text);
    expect(chunks).toEqual(['"one"', '{"two":"<b>2</b>"}']);
  });

  test('says that there is no such job', async () => {
    const { url } = await start();
    const [event] = await follow(url, 'job=nobody', (all) => all.length > 0);
    expect(event!.details).toBeNull();
  });

  test('counts requests and 429s by user agent and key', async () => {
    const emulator = await start({ keys: [KEY, 'another-placeholder'], faults: [{ fault: 'empty-429', nth: 2 }] });
    const ask = (agent: string, key: string) =>
      fetch(`${emulator.baseUrl}/demo/health`, { headers: { 'user-agent': agent, authorization: `Bearer ${key}` } });
    await ask('shop/1', KEY);
    await ask('shop/1', KEY);
    await ask(`press/2 ${KEY}`, 'another-placeholder');
    await ask('stranger/3', 'a-wrong-placeholder');
    const [event] = await follow(emulator.url, '', (events) => events.length > 0, basic(KEY));
    expect(JSON.stringify(event)).not.toContain('placeholder');
    const { state, requests } = event!;
    const lastAt = expect.any(Number) as number;
    expect(state!.clients).toEqual(
      expect.arrayContaining([
        { client: 'shop/1 · key 1', requests: 2, limited: 1, failed: 0, lastAt },
        { client: 'press/2 [key] · key 2', requests: 1, limited: 0, failed: 0, lastAt },
        { client: 'stranger/3', requests: 1, limited: 0, failed: 1, lastAt },
      ]),
    );
    expect(requests).toHaveLength(4);
  });
});
