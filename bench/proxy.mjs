/**
 * A thousand pages on one proxy, in virtual time: each page submits a job by a client of its own, whose transport is the
 * proxy, and waits for its end or watches its states. The emulator enforces the documented limits on the server's client.
 */
import { createProxy } from 'runpod-rx/server';
import { createEmulator } from 'runpod-rx/testing';
import { createRunpod } from 'runpod-rx';
import { map, tap } from 'rxjs';
import { HeapScheduler } from './lib/HeapScheduler.mjs';
import { logNormal, seeded } from './lib/random.mjs';
import { round } from './lib/round.mjs';
import { pageTransport } from './proxy/pageTransport.mjs';

const BASE = 'https://app.example/api/runpod';

/** How many workers there are, and how long a job executes, in milliseconds. */
const WORKERS = 300;
const MEDIAN = 8_000;

/** Within how much time the pages are opened, in milliseconds. */
const OPENING = 20_000;

/** How many 429s and lost jobs there may be. */
const ASKED = { refused: 0, lost: 0 };

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function proxy({ quick = false } = {}) {
  const pages = quick ? 200 : 1_000;
  const lines = [];
  for (const kind of ['wait for the end', 'watch the states']) lines.push(await play(kind, pages));
  return { name: 'proxy: many pages on one server', ok: lines.every(({ ok }) => ok), asked: ASKED, lines };
}

async function play(kind, pages) {
  const scheduler = new HeapScheduler();
  const random = seeded(1);
  const endedAt = new Map();
  const emulator = createEmulator({
    endpoints: {
      demo: {
        handler: ({ id }, context) =>
          context.delay(Math.round(logNormal(random, MEDIAN, 0.5))).pipe(
            map(() => 'done'),
            tap({ complete: () => endedAt.set(id, scheduler.now()) }),
          ),
        workers: { min: WORKERS, max: WORKERS },
      },
    },
    limits: 'documented',
    latency: () => 20 + Math.floor(random() * 41),
    scheduler,
    seed: 1,
  });
  const client = createRunpod({ apiKey: 'a-key', transport: emulator.transport, scheduler, random });
  const handler = createProxy({
    client,
    endpoints: { demo: { operations: ['run', 'status', 'cancel'] } },
    user: (request) => request.headers.get('x-user') ?? undefined,
    scheduler,
  });

  const answers = new Map();
  const notices = [];
  let ended = 0;
  let failed = 0;
  for (let page = 0; page < pages; page += 1) {
    const transport = pageTransport(handler, { user: `user-${page}`, scheduler, random, answers });
    const endpoint = createRunpod({ transport, baseUrl: BASE, scheduler, random }).endpoint('demo');
    scheduler.schedule(() => {
      const job = endpoint.job({ input: { page } });
      const view$ = kind === 'wait for the end' ? job.output$ : job.state$;
      let id;
      job.id$.subscribe({ next: (value) => (id = value), error: () => {} });
      view$.subscribe({
        complete: () => {
          ended += 1;
          notices.push((scheduler.now() - endedAt.get(id)) / 1_000);
        },
        error: () => (failed += 1),
      });
    }, random() * OPENING);
  }
  // The proxy works with promises: after each moment they all go on before time does.
  while (ended + failed < pages) {
    await new Promise((resolve) => setImmediate(resolve));
    const { ran } = scheduler;
    scheduler.flush(() => scheduler.ran > ran);
    if (scheduler.ran === ran) break;
  }
  const requests = emulator.requests();
  const reads = requests.filter(({ operation }) => operation === 'status' || operation === 'status-sync').length;
  const refused = requests.filter(({ status }) => status === 429).length;
  notices.sort((one, two) => one - two);
  const line = {
    pages: kind,
    jobs: pages,
    lost: pages - ended,
    refusedToPages: answers.get(429) ?? 0,
    refusedByService: refused,
    readsPerJob: round(reads / pages),
    notice: round(notices.reduce((sum, one) => sum + one, 0) / notices.length, 3),
    noticeP95: round(notices[Math.floor(0.95 * notices.length)], 3),
  };
  const ok = line.lost === 0 && line.refusedToPages === 0 && refused === 0;
  return { ...line, ok };
}
