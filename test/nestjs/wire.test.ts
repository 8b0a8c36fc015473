/** The module in applications on real sockets, on both platforms of Nest; the project `nest11` runs the same with Nest 11. */
import {
  Body,
  Controller,
  Get,
  Injectable,
  Param,
  Post,
  Query,
  Sse,
  UseInterceptors,
  type BeforeApplicationShutdown,
  type MessageEvent,
} from '@nestjs/common';
import { firstValueFrom, Subject, type Observable } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { runpod, type Endpoint } from 'runpod-rx';
import { getWebhooksToken, InjectEndpoint, toSse, UnsubscribeOnDisconnect } from 'runpod-rx/nestjs';
import type { Webhooks } from 'runpod-rx/server';
import { emulated, KEY, openEvents, platforms, postAndLeave, settle, start, statuses } from './support.js';

@Controller()
class DemoController {
  constructor(@InjectEndpoint('demo') private readonly endpoint: Endpoint) {}

  @Post('jobs')
  @UseInterceptors(UnsubscribeOnDisconnect)
  run(@Body() input: Record<string, unknown>): Observable<unknown> {
    return this.endpoint.job({ input }).output$;
  }

  @Get('jobs/:id')
  async read(@Param('id') id: string): Promise<unknown> {
    return firstValueFrom(this.endpoint.status(id));
  }

  @Sse('stream')
  stream(@Query('input') input: string, @Query('onDisconnect') onDisconnect?: 'cancel' | 'detach') {
    const job = this.endpoint.job({ input: JSON.parse(input) as Record<string, unknown> }, { stream: true });
    return toSse(job, onDisconnect ? { onDisconnect } : {});
  }

  @Sse('jobs/:id/events')
  events(@Param('id') id: string): Observable<MessageEvent> {
    return toSse(this.endpoint.attach(id));
  }
}

const forever = `/stream?input=${encodeURIComponent('{"forever":true}')}`;

const post = (url: string, body: unknown, init: RequestInit = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  });

describe.each(platforms)('%s', (platform) => {
  const site = async (options = {}) => {
    const emulator = emulated();
    const made = await start(platform, { transport: emulator.transport, ...options }, [DemoController]);
    return { emulator, ...made };
  };

  test('a route returns a job’s output', async () => {
    const { url } = await site();
    const answer = await post(`${url}/jobs`, { a: 1 });
    expect([answer.status, await answer.json()]).toEqual([201, { echo: { a: 1 } }]);
  });

  test('a client that leaves such a route has its job cancelled', async () => {
    const { url, emulator } = await site();
    const leave = postAndLeave(`${url}/jobs`, { forever: true });
    await vi.waitUntil(() => statuses(emulator).includes('IN_PROGRESS'), 100_000);
    leave();
    await vi.waitUntil(() => statuses(emulator).includes('CANCELLED'), 100_000);
  });

  test('a stream ends with the output, and tells a browser not to come again', async () => {
    const { url } = await site();
    const stream = await openEvents(
      `${url}/stream?input=${encodeURIComponent('{"chunks":[0,"",null,{"a":"b\\nc"}]}')}`,
    );
    await stream.ended;
    expect(stream.response.headers['content-type']).toContain('text/event-stream');
    expect(stream.types()[0]).toBe('state');
    const { id } = JSON.parse(stream.events[0]!.data) as { id: string };
    expect(stream.types().filter((type) => type === 'chunk')).toHaveLength(4);
    expect(stream.events.filter(({ type }) => type === 'chunk').map(({ data }) => JSON.parse(data) as unknown)).toEqual(
      [0, '', null, { a: 'b\nc' }],
    );
    expect(JSON.parse(stream.events.at(-1)!.data)).toMatchObject({ id, status: 'COMPLETED' });
    expect(stream.events.at(-1)).toMatchObject({ type: 'end' });
    expect(stream.text().match(/retry: \d+/g)).toEqual(['retry: 2147483647']);
  });

  test('a stream of a job that fails ends with an error, without what the worker said', async () => {
    const { url } = await site();
    const stream = await openEvents(`${url}/stream?input=${encodeURIComponent('{"fail":true}')}`);
    await stream.ended;
    expect(stream.events.at(-1)).toMatchObject({ type: 'error' });
    expect(stream.text()).toContain('retry: 2147483647');
    expect(JSON.parse(stream.events.at(-1)!.data)).toMatchObject({ statusCode: 502, code: 'job_failed' });
    expect(JSON.stringify(stream.events)).not.toContain('a secret of the worker');
  });

  test('what goes wrong with a job has an HTTP status', async () => {
    const { url } = await site();
    const answer = await post(`${url}/jobs`, {});
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { code: 'validation', accepted: 'no', issues: [{ field: 'input' }] },
    ]);
    expect((await fetch(`${url}/jobs/unknown-job`)).status).toBe(404);
  });

  test.each([
    ['stream?input=%7B%7D', { statusCode: 400, code: 'validation' }],
    ['jobs/unknown-job/events', { statusCode: 404, code: 'job_not_found' }],
    ['jobs/a%20b/events', { statusCode: 400, code: 'validation' }],
  ])('a stream of a job that cannot be (%s) ends with an error', async (path, error) => {
    const { url } = await site();
    const stream = await openEvents(`${url}/${path}`);
    await stream.ended;
    expect(stream.types()).toEqual(['error']);
    expect(JSON.parse(stream.events[0]!.data)).toMatchObject(error);
  });

  test.each([
    ['', 'CANCELLED'],
    ['&onDisconnect=cancel', 'CANCELLED'],
    ['&onDisconnect=detach', 'IN_PROGRESS'],
  ])('a client that drops a stream (%s) leaves its job %s', async (query, status) => {
    const { url, emulator, close } = await site();
    const stream = await openEvents(`${url}${forever}${query}`);
    await vi.waitUntil(() => statuses(emulator).includes('IN_PROGRESS'), 100_000);
    stream.drop();
    if (status === 'CANCELLED') await vi.waitUntil(() => statuses(emulator).includes('CANCELLED'), 100_000);
    await settle();
    // Also once the application has closed: the job is nobody's any more.
    await close();
    expect(statuses(emulator)).toEqual([status]);
  });

  test('a client that drops a stream of an attached job leaves the job alone', async () => {
    const { url, emulator, close } = await site();
    const first = await openEvents(`${url}${forever}`);
    await vi.waitUntil(() => statuses(emulator).includes('IN_PROGRESS'), 100_000);
    const second = await openEvents(`${url}/jobs/${emulator.jobs()[0]!.id}/events`);
    await vi.waitUntil(() => second.types().includes('state'), 100_000);
    second.drop();
    await settle();
    expect(statuses(emulator)).toEqual(['IN_PROGRESS']);
    first.drop();
    await vi.waitUntil(() => statuses(emulator).includes('CANCELLED'), 100_000);
    await close();
  });

  test('closing ends open streams with an error, and cancels their jobs', async () => {
    const { url, emulator, close } = await site();
    const stream = await openEvents(`${url}${forever}`);
    await vi.waitUntil(() => statuses(emulator).includes('IN_PROGRESS'), 100_000);
    await close();
    await stream.ended;
    expect(statuses(emulator)).toEqual(['CANCELLED']);
    expect(stream.types().at(-1)).toBe('error');
    expect(JSON.parse(stream.events.at(-1)!.data)).toMatchObject({ statusCode: 503, code: 'client_closed' });
  });

  test('what comes after the client has closed is 503, and was not sent', async () => {
    const going$ = new Subject<void>();
    @Injectable()
    class Slow implements BeforeApplicationShutdown {
      async beforeApplicationShutdown(): Promise<void> {
        await firstValueFrom(going$, { defaultValue: undefined });
      }
    }
    const { url, app, emulator, close } = await site();
    // Its hook comes between the end of the client and the end of the server.
    const slow = new Slow();
    const { beforeApplicationShutdown } = Object.getPrototypeOf(slow) as Slow;
    Object.assign(app.get(DemoController), { beforeApplicationShutdown });
    const closing = close();
    onTestFinished(() => going$.complete());
    await vi.waitUntil(async () => (await post(`${url}/jobs`, { a: 1 })).status === 503, 100_000);
    const before = statuses(emulator).length;
    const answer = await post(`${url}/jobs`, { a: 1 });
    const refused = { statusCode: 503, code: 'client_closed', accepted: 'no' };
    expect([answer.status, await answer.json()]).toMatchObject([503, refused]);
    const stream = await openEvents(`${url}${forever}`);
    await stream.ended;
    expect(stream.types()).toEqual(['error']);
    expect(JSON.parse(stream.events[0]!.data)).toMatchObject(refused);
    expect(statuses(emulator)).toHaveLength(before);
    going$.complete();
    await closing;
  });

  describe('webhooks', () => {
    const options = {
      webhooks: { url: 'https://example.com/hooks/runpod', secret: 'a-secret-of-32-characters-or-more' },
    };

    test('one with 5 MB of output is taken, though the application takes 100 KB', async () => {
      const { app, url } = await site(options);
      const webhooks = app.get<Webhooks>(getWebhooksToken());
      const signed = new URL(webhooks.sign({ input: { a: 1 } }, 'order-1').webhook!);
      const resolved = firstValueFrom(webhooks.resolved$);
      const job = { id: 'job-1', status: 'COMPLETED', output: 'x'.repeat(5_000_000) };
      const answer = await post(`${url}${signed.pathname}${signed.search}`, job);
      expect([answer.status, await answer.text()]).toEqual([200, '{"ok":true}']);
      expect(await resolved).toEqual({ key: 'order-1', id: 'job-1' });
      // The application's own limit holds for its own routes.
      expect((await post(`${url}/jobs`, { text: 'x'.repeat(5_000_000) })).status).toBe(413);
    });

    test('their own limit holds, and a URL without a token is refused', async () => {
      const { app, url } = await site({ webhooks: { ...options.webhooks, maxBody: 1000 } });
      const webhooks = app.get<Webhooks>(getWebhooksToken());
      const { pathname, search } = new URL(webhooks.sign({ input: { a: 1 } }, 'order-1').webhook!);
      expect((await post(`${url}${pathname}${search}`, { id: 'x', output: 'x'.repeat(2000) })).status).toBe(413);
      expect((await post(`${url}/hooks/runpod`, {})).status).toBe(403);
      // Paths that only begin alike are the application's.
      expect((await post(`${url}/hooks/runpods`, {})).status).toBe(404);
    });

    test('at another path where a gateway changes it', async () => {
      const { url } = await site({ ...options, webhookPath: '/inner' });
      expect((await post(`${url}/inner`, {})).status).toBe(403);
      expect((await post(`${url}/hooks/runpod`, {})).status).toBe(404);
    });
  });

  describe('the proxy', () => {
    const proxy = {
      endpoints: { demo: { operations: ['run', 'status', 'stream', 'cancel'] } },
      user: (request: Request) => request.headers.get('x-user') ?? undefined,
      events: true,
    } as const;
    const page = (url: string) => {
      const client = runpod({
        baseUrl: `${url}/api/runpod`,
        apiKey: '',
        links: [(request, next) => next({ ...request, headers: { ...request.headers, 'x-user': 'ann' } })],
      });
      onTestFinished(async () => {
        await firstValueFrom(client.close());
      });
      return client.endpoint('demo');
    };

    test('a page runs a job, with an input that the application’s own parser would refuse', async () => {
      const { url } = await site({ proxy });
      const input = { text: 'x'.repeat(200_000) };
      expect(await firstValueFrom(page(url).job({ input }).output$)).toEqual({ echo: input });
      expect((await post(`${url}/api/runpod/demo/run`, { input })).status).toBe(401);
    });

    test('closing ends the streams of pushed events', async () => {
      const { url, close } = await site({ proxy });
      const answer = await fetch(`${url}/api/runpod/events`, { headers: { 'x-user': 'ann' } });
      expect(answer.status).toBe(200);
      const text = answer.text();
      await close();
      expect(await text).toContain('event: hello');
    });
  });

  test('the key is in no answer', async () => {
    const emulator = emulated({ keys: ['another-key'] });
    const { url } = await start(platform, { transport: emulator.transport }, [DemoController]);
    const answer = await post(`${url}/jobs`, { a: 1 });
    const text = await answer.text();
    expect(answer.status).toBe(502);
    expect(text).toContain('authentication');
    expect(text).not.toContain(KEY);
    answer.headers.forEach((value) => expect(value).not.toContain(KEY));
  });
});
