/** The examples of servers, as they are, against an emulator; the pages in Chromium. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { concat, concatMap, defer, delay as later, from, ignoreElements, of } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startEmulator, type ListeningEmulator } from 'runpod-rx/emulator';
import { chromiumPath, openBrowser } from '../support/chromium.js';
import { postgresServer, redisServer } from '../support/engines.js';

const KEY = 'test-key-placeholder';

/** An emulator whose jobs report progress, and take as long as their prompt says. */
async function emulated(): Promise<ListeningEmulator> {
  const emulator = await startEmulator({
    endpoints: {
      'my-endpoint': {
        workers: { min: 10, max: 10 },
        handler: ({ input }, { delay, progress }) => {
          const text = String(input.prompt);
          if (text === 'for ever') return delay(3_600_000);
          const steps = from([0.5]).pipe(
            concatMap((done) => defer(() => (progress({ done }), delay(300)))),
            ignoreElements(),
          );
          return concat(steps, of({ text: text.toUpperCase() }).pipe(later(0)));
        },
      },
    },
    keys: [KEY],
  });
  onTestFinished(() => emulator.close());
  return emulator;
}

/** Starts the server of an example, and gives its address. */
async function start(name: string, emulator: ListeningEmulator): Promise<{ url: string; child: ChildProcess }> {
  const program = name === 'nest' ? ['../../scripts/example.mjs', name] : [`../../examples/${name}/server.mjs`];
  const [script = '', ...args] = program;
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...args], {
    env: {
      ...process.env,
      PORT: '0',
      RUNPOD_API_KEY: KEY,
      RUNPOD_BASE_URL: emulator.baseUrl,
      WEBHOOK_SECRET: 'a-secret-of-the-test',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (text: string) => {
      output += text;
      const [found] = /http:\/\/localhost:\d+/.exec(output) ?? [];
      if (found) resolve(found);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.once('exit', (code) => reject(new Error(`the example ended with ${code}\n${output}`)));
  });
  return { url, child };
}

const ended = (child: ChildProcess) => new Promise((resolve) => child.once('exit', (code) => resolve(code)));

const statuses = (emulator: ListeningEmulator) => emulator.jobs().map(({ status }) => status);

test('express: an order has its output, and one that is left has its job cancelled before the server ends', async () => {
  const emulator = await emulated();
  const { url, child } = await start('express', emulator);
  const order = (number: string, prompt: string, signal?: AbortSignal) =>
    fetch(`${url}/orders/${number}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt }),
      ...(signal && { signal }),
    });
  expect(await (await order('4711', 'hello')).json()).toEqual({ number: '4711', result: { text: 'HELLO' } });
  const aborting = new AbortController();
  const left = order('4712', 'for ever', aborting.signal).catch(() => 'left');
  await expect.poll(() => statuses(emulator)).toContain('IN_PROGRESS');
  aborting.abort();
  expect(await left).toBe('left');
  await expect.poll(() => statuses(emulator)).toEqual(['COMPLETED', 'CANCELLED']);
  child.kill('SIGINT');
  expect(await ended(child)).toBe(0);
});

test('otel: prints the span of a job, under that of its order', async () => {
  const emulator = await emulated();
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../examples/otel/server.mjs', import.meta.url))], {
    env: { ...process.env, RUNPOD_API_KEY: KEY, RUNPOD_BASE_URL: emulator.baseUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  expect(await ended(child)).toBe(0);
  expect(output).toContain("name: 'run my-endpoint'");
  expect(output).toContain("name: 'order 4711'");
  expect(output).toContain("'runpod.job.status': 'COMPLETED'");
  expect(output).not.toContain(KEY);
});

describe.each([
  ['bullmq', redisServer],
  ['pg-boss', postgresServer],
] as const)('queue on %s', (engine, server) => {
  test.skipIf(!server)('a worker is killed, and all jobs are done, each by one job of the service', async () => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../scripts/example.mjs', import.meta.url)), 'queue', engine],
      { env: { ...environment(), PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await expect.poll(() => output).toMatch(/worker 2 +\d+ +✓/);
    const [, pid] = /worker 2 +(\d+)/.exec(output)!;
    process.kill(Number(pid), 'SIGKILL');
    expect(await ended(child)).toBe(0);
    expect(output).toMatch(/worker 2 .*was killed/);
    // What the killed worker was about to send may never have been sent: then it has failed, and was not paid.
    const [, done, failed = 0] = /(\d+) of 24 done(?:, (\d+) failed)?\n(?![^]* of 24 done)/.exec(output)!;
    expect(Number(done) + Number(failed)).toBe(24);
    expect(Number(failed)).toBeLessThanOrEqual(4);
    expect(output).toContain(`The emulator was given ${done!} jobs.`);
  });
});

/** Without a key, an example starts an emulator. */
function environment(): NodeJS.ProcessEnv {
  const { RUNPOD_API_KEY: _key, RUNPOD_BASE_URL: _url, ...others } = process.env;
  return others;
}

describe('nest', () => {
  const post = (url: string, body: unknown) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).then(async (answer) => ({ status: answer.status, body: (await answer.json()) as Record<string, unknown> }));

  test('submits, streams, and paints orders in turn', async () => {
    const emulator = await emulated();
    const { url } = await start('nest', emulator);
    const { status, body } = await post(`${url}/jobs`, { prompt: 'hello' });
    expect(status).toBe(202);
    const events = await (await fetch(`${url}/jobs/${String(body.id)}/events`)).text();
    expect(events).toContain('event: progress');
    expect(events).toContain('"output":{"text":"HELLO"}');
    expect(await (await fetch(`${url}/pictures?prompt=a+storm`)).text()).toContain('A STORM');
    for (const number of ['1', '2', '3', '1']) await post(`${url}/orders/${number}`, { prompt: `order ${number}` });
    const painted = async () => (await fetch(`${url}/orders/3`)).json();
    await expect.poll(painted).toEqual({ number: '3', state: 'painted', text: 'ORDER 3' });
    expect(emulator.jobs()).toHaveLength(5);
    expect(await post(`${url}/pictures`, {})).toMatchObject({ status: 400, body: { code: 'validation' } });
    expect((await fetch(`${url}/orders/4`)).status).toBe(404);
  });

  test('SIGTERM with an open stream and an order in progress ends it, with its jobs cancelled', async () => {
    const emulator = await emulated();
    const { url, child } = await start('nest', emulator);
    const stream = fetch(`${url}/pictures?prompt=for+ever`).then((answer) => answer.text());
    await post(`${url}/orders/1`, { prompt: 'for ever' });
    await expect.poll(() => statuses(emulator)).toEqual(['IN_PROGRESS', 'IN_PROGRESS']);
    const end = ended(child);
    child.kill('SIGTERM');
    await end;
    expect(statuses(emulator)).toEqual(['CANCELLED', 'CANCELLED']);
    expect(await stream).toContain('client_closed');
  });
});

describe.skipIf(chromiumPath === undefined)('browser', () => {
  const run = async (page: Page, prompt: string) => {
    await page.fill('input', prompt);
    await page.click('button[name=run]');
  };
  const first = (page: Page) => page.locator('li').first();

  test('a page shows its job to the end, and asks little', async () => {
    const emulator = await emulated();
    const { url } = await start('browser', emulator);
    const browser = await openBrowser();
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(url, { timeout: 120_000 });
    await run(page, 'a lighthouse');
    await first(page).locator('b', { hasText: 'completed' }).waitFor({ timeout: 100_000 });
    expect(await first(page).innerText()).toContain('A LIGHTHOUSE');
    expect(problems).toEqual([]);
    expect(asked.filter((path) => path.endsWith('/events'))).toHaveLength(1);
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/browser-example.png` });
  });

  test('a job that is taken back, or replaced by the next one, is cancelled', async () => {
    const emulator = await emulated();
    const { url } = await start('browser', emulator);
    const page = await (await openBrowser()).newPage();
    await page.goto(url, { timeout: 120_000 });
    await run(page, 'for ever');
    await first(page).locator('b', { hasText: 'in progress' }).waitFor({ timeout: 100_000 });
    await page.click('button[name=cancel]');
    await expect.poll(() => statuses(emulator)).toEqual(['CANCELLED']);
    await run(page, 'for ever');
    await expect.poll(() => statuses(emulator)).toEqual(['CANCELLED', 'IN_PROGRESS']);
    await run(page, 'a lighthouse');
    await first(page).locator('b', { hasText: 'completed' }).waitFor({ timeout: 100_000 });
    await expect.poll(() => statuses(emulator)).toEqual(['CANCELLED', 'CANCELLED', 'COMPLETED']);
  });

  test('the eighth tab submits, though a browser opens six connections to a server', async () => {
    const emulator = await emulated();
    const { url } = await start('browser', emulator);
    const browser = await openBrowser();
    const tabs: Page[] = [];
    for (let tab = 0; tab < 8; tab++) {
      const page = await browser.newPage();
      await page.goto(url, { timeout: 120_000 });
      await run(page, 'for ever');
      await first(page).locator('b', { hasText: 'in progress' }).waitFor({ timeout: 100_000 });
      tabs.push(page);
    }
    expect(statuses(emulator)).toEqual(Array.from({ length: 8 }, () => 'IN_PROGRESS'));
  });
});
