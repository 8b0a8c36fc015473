/**
 * How long pushed events take over real connections on this machine: from the moment at which the server's client knows that a
 * job is over, or has a chunk, until the page has it; behind compression, too. And how long the last of eight tabs of a
 * browser takes to submit, over HTTP/1.1, where a browser has six connections to a server.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import compression from 'compression';
import express from 'express';
import { chromium } from 'playwright-core';
import { eventNotices } from 'runpod-rx/events';
import { createProxy, toExpress } from 'runpod-rx/server';
import { startEmulator } from 'runpod-rx/emulator';
import { createEmulator } from 'runpod-rx/testing';
import { firstValueFrom, NEVER, tap } from 'rxjs';
import { createRunpod } from 'runpod-rx';
import { fetchTransport } from 'runpod-rx/fetch';
import { chromiumPath, launchOptions } from '../scripts/lib/chromium.mjs';
import { round } from './lib/round.mjs';

/** In milliseconds: the 95th of a hundred ends or chunks, behind compression as well, and the eighth tab's submission. */
const ASKED = { p95: 100, eighthTab: 2_000 };

const TABS = 8;

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function events({ quick = false } = {}) {
  const count = quick ? 20 : 100;
  const lines = [];
  for (const compressed of [false, true]) lines.push(await play({ compressed, count }));
  if (chromiumPath) lines.push(await tabs());
  return { name: 'events: from the server to the page', ok: lines.every(({ ok }) => ok), asked: ASKED, lines };
}

/** A server whose client notes when it knows of an end, and a handler that notes when it has yielded. */
async function serve({ compressed }) {
  const knownAt = new Map();
  const emulator = createEmulator({
    endpoints: {
      demo: {
        workers: { min: 10, max: 10 },
        async *handler() {
          for (let nth = 0; nth < 3; nth += 1) {
            await new Promise((resolve) => setTimeout(resolve, 100));
            yield { nth };
          }
        },
      },
    },
  });
  const client = createRunpod({
    apiKey: 'a-key',
    limits: false,
    transport: (request) =>
      emulator.transport(request).pipe(
        tap(({ text }) => {
          const { id, status } = JSON.parse(text);
          if (id && status === 'COMPLETED' && !knownAt.has(id)) knownAt.set(id, performance.now());
          const stream = /\/stream\/([^?]+)/.exec(request.url)?.[1];
          for (const { output } of JSON.parse(text).stream ?? [])
            knownAt.set(`${stream}/${output.nth}`, performance.now());
        }),
      ),
  });
  const proxy = createProxy({
    client,
    endpoints: { demo: { operations: ['run', 'status', 'stream', 'cancel'] } },
    user: () => 'guest',
    events: true,
  });
  const app = express();
  if (compressed) app.use(compression());
  app.use('/api/runpod', toExpress(proxy));
  const server = createServer(app);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const close = async () => {
    await firstValueFrom(client.close());
    server.close();
    server.closeAllConnections();
  };
  return { origin, knownAt, close };
}

async function play({ compressed, count }) {
  const { origin, knownAt, close } = await serve({ compressed });
  const page = createRunpod({
    baseUrl: `${origin}/api/runpod`,
    transport: fetchTransport(),
    notices: eventNotices(`${origin}/api/runpod/events`),
  });
  const endpoint = page.endpoint('demo');
  const ends = [];
  const chunks = [];
  for (let nth = 0; nth < count; nth += 1) {
    const job = endpoint.job({ input: { nth } });
    let id;
    job.id$.subscribe((value) => (id = value));
    await new Promise((resolve, reject) => {
      let open = 2;
      const complete = () => (open -= 1) || resolve();
      job.chunks$.subscribe({
        next: ({ nth: chunk }) => chunks.push(performance.now() - knownAt.get(`${id}/${chunk}`)),
        error: reject,
        complete,
      });
      job.output$.subscribe({ next: () => ends.push(performance.now() - knownAt.get(id)), error: reject, complete });
    });
  }
  await firstValueFrom(page.close());
  await close();
  const [end, chunk] = [ends, chunks].map(p95);
  return {
    line: compressed ? 'behind compression' : 'straight',
    jobs: count,
    'end, p95 ms': round(end),
    'chunk, p95 ms': round(chunk),
    ok: end <= ASKED.p95 && chunk <= ASKED.p95,
  };
}

function p95(times) {
  return times.sort((one, two) => one - two)[Math.ceil(times.length * 0.95) - 1];
}

/** The example's page in eight tabs of one browser, each with a job that goes on. */
async function tabs() {
  const emulator = await startEmulator({
    endpoints: { 'my-endpoint': { handler: () => NEVER, workers: { max: 10 } } },
  });
  const profile = mkdtempSync(join(tmpdir(), 'runpod-rx-profile-'));
  const child = spawn(process.execPath, [fileURLToPath(new URL('../examples/browser/server.mjs', import.meta.url))], {
    env: { ...process.env, PORT: '0', RUNPOD_API_KEY: 'a-key', RUNPOD_BASE_URL: emulator.baseUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await once(child.stdout, 'data');
  const url = /http:\S+/.exec(String(output))[0];
  const browser = await chromium.launchPersistentContext(profile, launchOptions);
  try {
    const times = [];
    for (let nth = 0; nth < TABS; nth += 1) {
      const page = await browser.newPage();
      await page.goto(url);
      await page.waitForSelector('button[name=run]:not([disabled])');
      const submitted = page.waitForResponse((answer) => answer.url().endsWith('/run'));
      const since = performance.now();
      await page.click('button[name=run]');
      await submitted;
      times.push(performance.now() - since);
    }
    const last = times.at(-1);
    return { line: 'the eighth tab', 'submitted, ms': round(last, 0), ok: last <= ASKED.eighthTab };
  } finally {
    await browser.close();
    child.kill('SIGKILL');
    await emulator.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
