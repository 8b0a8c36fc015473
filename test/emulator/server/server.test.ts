import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { NEVER, Observable, firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { createEmulator, startEmulator } from 'runpod-rx/emulator';
import type { EmulatorOptions, ListeningEmulator } from 'runpod-rx/emulator';

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((emulator) => emulator.close()));
});

async function start(options: Partial<EmulatorOptions> = {}): Promise<ListeningEmulator> {
  const emulator = await startEmulator({
    endpoints: { demo: { handler: ({ input }) => ({ echo: input }) } },
    ...options,
  });
  running.push(emulator);
  return emulator;
}

const post = (url: string, body: unknown, init: RequestInit = {}) =>
  fetch(url, { method: 'POST', body: JSON.stringify(body), ...init });

describe('the server', () => {
  test('listens on the loopback address only, at a free port', async () => {
    const { url, baseUrl, port } = await start();
    expect(url).toBe(`http://127.0.0.1:${port}`);
    expect(baseUrl).toBe(`${url}/v2`);
  });

  test('runs a job', async () => {
    const { baseUrl, jobs } = await start();
    const answer = await post(`${baseUrl}/demo/runsync`, { input: { text: 'héllo' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toMatchObject({ output: { echo: { text: 'héllo' } }, status: 'COMPLETED' });
    expect(jobs()).toMatchObject([{ end: 'completed' }]);
  });

  test('every operation answers', async () => {
    const { baseUrl } = await start({ endpoints: { demo: { handler: () => NEVER } } });
    const base = `${baseUrl}/demo`;
    const { id } = (await (await post(`${base}/run`, { input: { x: 1 } })).json()) as { id: string };
    const status = async (method: string, path: string) => (await fetch(`${base}/${path}`, { method })).status;
    expect(await status('GET', `status/${id}`)).toBe(200);
    expect(await status('POST', `status/${id}`)).toBe(200);
    expect(await status('GET', 'health')).toBe(200);
    expect(await status('POST', `cancel/${id}`)).toBe(200);
    expect(await status('GET', `status-sync/${id}`)).toBe(200);
    expect(await status('GET', `stream/${id}`)).toBe(200);
    expect(await status('POST', `retry/${id}`)).toBe(400);
    expect(await status('POST', 'purge-queue')).toBe(200);
    expect(await status('GET', 'nothing')).toBe(400);
    expect(await status('DELETE', 'health')).toBe(405);
  });

  test('answers paths outside of /v2 with 404', async () => {
    const { url } = await start();
    for (const path of ['/demo/health', '/v1/demo/health', '/v2']) {
      const answer = await fetch(url + path);
      expect([answer.status, await answer.text()]).toEqual([404, '{"message":"Not Found"}']);
    }
  });

  test('requires the key', async () => {
    const { baseUrl, requests } = await start({ keys: ['secret-key'] });
    const status = async (headers: Record<string, string>) =>
      (await fetch(`${baseUrl}/demo/health`, { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({ authorization: 'Bearer secret-key' })).toBe(200);
    expect(await status({ Authorization: 'secret-key' })).toBe(200);
    expect(JSON.stringify(requests())).not.toContain('secret-key');
  });

  test('refuses bodies beyond the limits, however large', async () => {
    const { baseUrl, jobs } = await start();
    const body = (bytes: number) => ({ input: { x: 'é'.repeat(bytes / 2) } });
    const MIB = 1024 * 1024;
    const run = await post(`${baseUrl}/demo/run`, body(10 * MIB));
    expect([run.status, await run.text()]).toEqual([
      400,
      '{"error":"bad request: body: exceeded max body size of 10MiB"}',
    ]);
    const runsync = await post(`${baseUrl}/demo/runsync`, body(24 * MIB));
    expect([runsync.status, await runsync.text()]).toEqual([
      400,
      '{"error":"bad request: body: exceeded max body size of 20MiB"}',
    ]);
    expect(jobs()).toEqual([]);
    expect((await post(`${baseUrl}/demo/runsync`, body(18 * MIB))).status).toBe(200);
  });

  test('keeps connections alive', async () => {
    const { url } = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () =>
      new Promise<boolean>((resolve, reject) => {
        const request = httpRequest(`${url}/v2/demo/health`, { agent }, (response) => {
          response.resume();
          response.on('end', () => resolve(request.reusedSocket));
        });
        request.on('error', reject);
        request.end();
      });
    expect(await ask()).toBe(false);
    expect(await ask()).toBe(true);
    agent.destroy();
  });

  test('records a client that disconnects; its job goes on', async () => {
    const { baseUrl, requests$, jobs } = await start({ endpoints: { demo: { handler: () => NEVER } } });
    const leaving = new AbortController();
    const over = firstValueFrom(requests$);
    const asked = post(`${baseUrl}/demo/runsync`, { input: { x: 1 } }, { signal: leaving.signal });
    await expect.poll(() => jobs().length).toBe(1);
    leaving.abort();
    await expect(asked).rejects.toThrow();
    expect(await over).toMatchObject({ aborted: true, jobId: jobs()[0]?.id });
    expect(jobs()).toMatchObject([{ operation: 'runsync' }]);
    expect(jobs()[0]).not.toHaveProperty('end');
  });

  test('a client that disconnects while it sends its body submits nothing', async () => {
    const { port, jobs, requests } = await start();
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /v2/demo/run HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"input":');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.destroy();
    await new Promise((resolve) => socket.once('close', resolve));
    await fetch(`http://127.0.0.1:${port}/v2/demo/health`);
    expect(jobs()).toEqual([]);
    expect(requests()).toHaveLength(1);
  });
});

describe('faults on the wire', () => {
  test('resets the connection', async () => {
    const { baseUrl, jobs } = await start({ faults: [{ fault: 'reset-after', nth: 1 }] });
    const error: unknown = await post(`${baseUrl}/demo/run`, { input: { x: 1 } }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(jobs()).toHaveLength(1);
    expect((await fetch(`${baseUrl}/demo/health`)).status).toBe(200);
  });

  test('a truncated answer, a page of HTML, Retry-After', async () => {
    const { baseUrl } = await start({
      faults: [
        { fault: 'truncated-answer', nth: 1 },
        { fault: 'html-502', nth: 2 },
        { fault: 'empty-429', nth: 3, retryAfter: 3 },
      ],
    });
    const answers = [];
    for (let count = 0; count < 3; count += 1) {
      const answer = await fetch(`${baseUrl}/demo/health`);
      answers.push([
        answer.status,
        answer.headers.get('content-type'),
        answer.headers.get('retry-after'),
        await answer.text(),
      ]);
    }
    expect(answers).toEqual([
      [200, 'application/json', null, expect.stringMatching(/^{"jobs":[^}]*/)],
      [502, 'text/html', null, expect.stringContaining('Bad Gateway')],
      [429, 'text/plain', '3', ''],
    ]);
  });

  test('no answer: the client may disconnect, and close ends the request', async () => {
    const emulator = await start({ faults: { 'no-answer': 1 } });
    const asked = fetch(`${emulator.baseUrl}/demo/health`);
    await expect.poll(() => emulator.requests().length).toBe(1);
    await Promise.all([expect(asked).rejects.toThrow(), emulator.close()]);
  });
});

describe('CORS', () => {
  const origin = 'http://localhost:4200';
  const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };

  test('is off by default', async () => {
    const { baseUrl } = await start();
    const asked = await fetch(`${baseUrl}/demo/run`, { method: 'OPTIONS', headers: { origin, ...preflight } });
    expect(asked.status).toBe(403);
    expect(asked.headers.has('access-control-allow-origin')).toBe(false);
  });

  test.each([
    [true, origin],
    [origin, origin],
    [['http://other', origin], origin],
    ['http://other', null],
    [['http://other'], null],
  ])('%j', async (cors, allowed) => {
    const { baseUrl } = await start({ cors });
    const asked = await fetch(`${baseUrl}/demo/run`, { method: 'OPTIONS', headers: { origin, ...preflight } });
    expect(asked.status).toBe(allowed === null ? 403 : 204);
    expect(asked.headers.get('access-control-allow-origin')).toBe(allowed);
    if (allowed !== null) expect(asked.headers.get('access-control-allow-headers')).toBe('authorization');
    for (const path of ['demo/health', 'demo/status/x']) {
      const answer = await fetch(`${baseUrl}/${path}`, { headers: { origin } });
      expect(answer.headers.get('access-control-allow-origin')).toBe(allowed);
      expect(answer.headers.get('vary')).toBe('origin');
    }
  });
});

describe('listen and close', () => {
  test('an emulator that does not listen can be closed', async () => {
    const emulator = createEmulator({ endpoints: { demo: { handler: () => 1 } } });
    const { status } = await firstValueFrom(emulator.handle({ method: 'GET', url: '/v2/demo/health', headers: {} }));
    expect(status).toBe(200);
    await emulator.close();
  });

  test('a second listen returns the same server; the transport and the server share one model', async () => {
    const emulator = createEmulator({ endpoints: { demo: { handler: () => 1 } } });
    running.push(emulator);
    const [one, two] = await Promise.all([emulator.listen(), emulator.listen()]);
    expect(one.port).toBe(two.port);
    await post(`${one.baseUrl}/demo/run`, { input: { x: 1 } });
    expect(emulator.jobs()).toHaveLength(1);
  });

  test('listen rejects if the port is taken', async () => {
    const { port } = await start();
    const emulator = createEmulator({ endpoints: { demo: { handler: () => 1 } } });
    await expect(emulator.listen(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const listening = await emulator.listen();
    expect(listening.port).not.toBe(port);
    await emulator.close();
  });

  test('close does not wait for a body that never ends', async () => {
    const emulator = await start();
    const socket = connect(emulator.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise<void>((resolve) =>
      socket.write('POST /v2/demo/run HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{', () => resolve()),
    );
    await fetch(`${emulator.baseUrl}/demo/health`);
    await emulator.close();
    await closed;
  });

  test('close ends held requests, stops work, and frees the port', async () => {
    let torn = false;
    const emulator = await start({
      endpoints: { demo: { handler: () => new Observable(() => () => (torn = true)) } },
    });
    const held = post(`${emulator.baseUrl}/demo/runsync`, { input: { x: 1 } });
    const failed = expect(held).rejects.toThrow();
    await expect.poll(() => emulator.jobs()[0]?.status).toBe('IN_PROGRESS');
    await emulator.close();
    await failed;
    expect(torn).toBe(true);
    await expect(fetch(`${emulator.baseUrl}/demo/health`)).rejects.toThrow();
    await (await start({ port: emulator.port })).close();
    await emulator.close();
  });
});
