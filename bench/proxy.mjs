/**
 * Many pages on one proxy, in virtual time: each page submits jobs by a client of its own, whose transport is the proxy, and
 * waits for their ends or watches their states, with pushed events and without. The emulator enforces the documented limits
 * on the server's client.
 */
import { createProxy } from 'runpod-rx/server';
import { createEmulator } from 'runpod-rx/testing';
import { createRunpod } from 'runpod-rx';
import { map, tap } from 'rxjs';
import { HeapScheduler } from './lib/HeapScheduler.mjs';
import { logNormal, seeded } from './lib/random.mjs';
import { round } from './lib/round.mjs';
import { pageClient } from './proxy/pageClient.mjs';

/** How many workers there are, and how long a job executes, in milliseconds. */
const WORKERS = 300;
const MEDIAN = 8_000;

/** How many jobs of its own the server has run before. */
const WARM_UP = 50;

/** Within how much time the pages are opened, in milliseconds. */
const OPENING = 20_000;

/** At most so many 429s, lost jobs, and reads for each job of pages that wait and are told by events. */
const ASKED = { refused: 0, lost: 0, readsWithEvents: 1.6 };

const SCENARIOS = [
  { waits: true, events: false, pages: 1_000, jobsEach: 1 },
  { waits: false, events: false, pages: 1_000, jobsEach: 1 },
  { waits: true, events: true, pages: 200, jobsEach: 5 },
  { waits: false, events: true, pages: 200, jobsEach: 5 },
];

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function proxy({ quick = false } = {}) {
  const lines = [];
  for (const scenario of SCENARIOS)
    lines.push(await play({ ...scenario, pages: quick ? scenario.pages / 5 : scenario.pages }));
  return { name: 'proxy: many pages on one server', ok: lines.every(({ ok }) => ok), asked: ASKED, lines };
}

async function play({ waits, events, pages, jobsEach }) {
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
    events,
    scheduler,
  });

  // The server has run for a while: its client knows that the service holds reads, and how long jobs take.
  let warm = 0;
  for (let nth = 0; nth < WARM_UP; nth += 1)
    client
      .endpoint('demo')
      .runToEnd({ input: { nth } })
      .subscribe({ complete: () => (warm += 1) });
  scheduler.flush(() => warm === WARM_UP);
  const before = emulator.requests().length;

  const answers = new Map();
  const notices = [];
  let ended = 0;
  let failed = 0;
  const follow = (endpoint) => {
    const job = endpoint.job({ input: { text: 'a job' } });
    let id;
    job.id$.subscribe({ next: (value) => (id = value), error: () => {} });
    (waits ? job.output$ : job.state$).subscribe({
      complete: () => {
        ended += 1;
        notices.push((scheduler.now() - endedAt.get(id)) / 1_000);
      },
      error: () => (failed += 1),
    });
  };
  for (let page = 0; page < pages; page += 1) {
    const endpoint = pageClient(handler, { user: `user-${page}`, events, scheduler, random, answers }).endpoint('demo');
    const open = () => {
      for (let nth = 0; nth < jobsEach; nth += 1) follow(endpoint);
    };
    scheduler.schedule(open, random() * OPENING);
  }
  const jobs = pages * jobsEach;
  // The proxy works with promises: after each moment they all go on before time does.
  while (ended + failed < jobs) {
    await new Promise((resolve) => setImmediate(resolve));
    const { ran } = scheduler;
    scheduler.flush(() => scheduler.ran > ran);
    if (scheduler.ran === ran) break;
  }
  const requests = emulator.requests().slice(before);
  const reads = requests.filter(({ operation }) => operation === 'status' || operation === 'status-sync').length;
  notices.sort((one, two) => one - two);
  const line = {
    pages,
    jobs,
    view: waits ? 'the end' : 'states',
    events,
    lost: jobs - ended,
    refusedToPages: answers.get(429) ?? 0,
    refusedByService: requests.filter(({ status }) => status === 429).length,
    readsPerJob: round(reads / jobs),
    pageReadsPerJob: round((answers.get('reads') ?? 0) / jobs),
    notice: round(notices.reduce((sum, one) => sum + one, 0) / notices.length, 3),
    noticeP95: round(notices[Math.floor(0.95 * notices.length)], 3),
  };
  const mostReads = waits && events ? ASKED.readsWithEvents : Infinity;
  const refused = line.refusedToPages + line.refusedByService;
  return { ...line, ok: line.lost === 0 && refused === 0 && line.readsPerJob <= mostReads };
}
