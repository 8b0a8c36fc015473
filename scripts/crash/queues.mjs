import { setTimeout as pause } from 'node:timers/promises';
import { startEmulator } from 'runpod-rx/emulator';
import { ownPostgres, ownRedis, postgresEngine, redisEngine } from '../lib/engines.mjs';
import { child } from './child.mjs';
import { payments } from './payments.mjs';
import { engines, placeName } from './queueEngines.mjs';

/** How long the queue may take to its end, in milliseconds; only one that hangs takes so long. */
const PATIENCE = 300_000;

const servers = {
  bullmq: { usual: redisEngine, own: ownRedis },
  'pg-boss': { usual: postgresEngine, own: ownPostgres },
};

/**
 * Runs the jobs of a queue on workers in processes of their own, and lets `act` disturb them. Gives what the queue and the
 * emulator's ledger say; `undefined` where the engine is not on this machine.
 *
 * @param {object} scenario
 * @param {'bullmq' | 'pg-boss'} scenario.engine
 * @param {number} scenario.jobs
 * @param {number} [scenario.workers]
 * @param {number} [scenario.ms] - how long a job takes
 * @param {'wait' | 'resubmit'} [scenario.ambiguous]
 * @param {boolean} [scenario.own] - whether the engine is one of the test's own, which can be killed
 * @param {(world: object) => Promise<unknown>} scenario.act
 */
async function playQueue(scenario) {
  const {
    engine,
    jobs,
    workers = 4,
    ms = 300,
    ambiguous = 'wait',
    concurrency = 8,
    own = false,
    loses = true,
    // A webhook that comes while the engine is away is sent again twice, ten seconds later each.
    grace = 60_000,
  } = scenario;
  const server = await servers[engine][own ? 'own' : 'usual']();
  if (!server) return undefined;
  const place = placeName();
  const { url } = server;
  const queue = await engines[engine].open(url, place);
  const emulator = await startEmulator({
    limits: false,
    seed: Math.floor(scenario.random() * 2 ** 30),
    endpoints: {
      demo: {
        handler: ({ input }, { delay }) =>
          delay(input.ms)
            .toPromise()
            .then(() => ({ of: input.key })),
        workers: { max: workers * concurrency * 2, idleTimeout: Infinity },
      },
    },
    faults: [
      ...(loses ? [{ fault: 'reset-after', on: 'run', probability: 0.02 }] : []),
      { fault: 'slow-answer', on: 'run', after: 200 },
    ],
  });
  const receiver = ambiguous === 'wait' ? child('queueReceiver.mjs', { engine, url, place }) : undefined;
  const running = [];
  try {
    const webhookUrl = (await receiver?.next())?.url;
    const start = async () => {
      const options = { engine, url, place, baseUrl: emulator.baseUrl, ambiguous, grace, concurrency, webhookUrl };
      const worker = child('queueWorker.mjs', options);
      await worker.next();
      return worker;
    };
    for (let index = 0; index < workers; index++) running.push(await start());
    const keys = Array.from({ length: jobs }, (_, index) => `job-${index}`);
    const ids = await queue.add(keys, ms);
    const world = {
      ...scenario,
      concurrency,
      emulator,
      queue,
      ids,
      running,
      server,
      start,
      sent: () => count(emulator, 'run'),
    };
    await scenario.act(world);
    const ended = await untilEnded(queue, jobs);
    return { ...report(emulator, keys, ended), ...world };
  } finally {
    for (const worker of [...running, receiver]) await worker?.kill();
    await queue.close().catch(() => undefined);
    await server.stop();
    await emulator.close();
  }
}

const count = (emulator, operation) => emulator.requests().filter((one) => one.operation === operation).length;

async function untilEnded(queue, jobs) {
  const until = performance.now() + PATIENCE;
  for (;;) {
    // The engine may be away.
    const ended = await Promise.race([queue.ended().catch(() => undefined), pause(5_000)]);
    const total = ended ? ended.completed.length + ended.failed.length : 0;
    if (total === jobs) return ended;
    if (performance.now() > until) throw new Error(`${total} of ${jobs} jobs of the queue have ended`);
    await pause(100);
  }
}

/** What the ledger and the queue say. */
function report(emulator, keys, { completed, failed }) {
  const { taken, ...counts } = payments(emulator);
  const done = new Set(completed.map(({ key }) => key));
  const listed = new Set(failed.map(({ key }) => key));
  return {
    ...counts,
    cancels: count(emulator, 'cancel'),
    completed: done.size,
    failed: failed.map(({ key, reason }) => ({ key, reason, paid: taken.includes(key) })),
    lost: keys.filter((key) => !done.has(key) && !listed.has(key)).length,
    wrong: completed.filter((one) => one.of !== one.key).length,
  };
}

/** Kills workers again and again, and starts others in their place. */
async function killing({ random, running, start, sent, jobs, kills }) {
  const moments = Array.from({ length: kills }, () => random() * jobs * 0.8).sort((a, b) => a - b);
  for (const moment of moments) {
    while (sent() < moment) await pause(5);
    await pause(random() * 300);
    const index = Math.floor(random() * running.length);
    await running[index].kill();
    running[index] = await start();
  }
}

/** Until every job runs on the service, and its worker knows its id. */
async function untilSubmitted({ emulator, jobs }) {
  while (emulator.jobs().filter(({ status }) => status === 'IN_PROGRESS').length < jobs) await pause(20);
  await pause(500);
}

/** What must be 0 of a run, whatever disturbs it. */
const always = (seen) => ({
  lost: seen.lost,
  'results of another input': seen.wrong,
  'failed, and paid': seen.failed.filter(({ paid }) => paid).length,
});

/** A run in which nothing is killed: each job is submitted once. */
const calm = (seen) => ({
  ...always(seen),
  'failed jobs': seen.failed.length,
  'submissions too many or too few': Math.abs(seen.runs - seen.jobs),
});

/** The scenarios of an engine: how each is played, and what must be 0 of what it shows. */
const scenarios = (engine, quick) => ({
  // A job whose worker was killed between its note and the wire is not on the service: no webhook comes for it.
  wait: {
    options: { grace: 15_000, jobs: quick ? 40 : 300, kills: quick ? 3 : 8, act: killing },
    faults: (seen) => ({ ...always(seen), 'paid twice': seen.doubles, cancels: seen.cancels }),
  },
  resubmit: {
    options: { ambiguous: 'resubmit', jobs: quick ? 40 : 300, kills: quick ? 3 : 8, act: killing },
    faults: (seen) => ({
      ...always(seen),
      'not given': seen.failed.length,
      'paid twice, beyond those in flight and those whose answer was lost': Math.max(
        0,
        seen.doubles - seen.kills * seen.concurrency - seen.lostAnswers,
      ),
      cancels: seen.cancels,
    }),
  },
  stall: {
    options: {
      workers: 2,
      jobs: 8,
      ms: 9_000,
      loses: false,
      act: async (world) => {
        await untilSubmitted(world);
        const [stalled] = world.running;
        process.kill(stalled.pid, 'SIGSTOP');
        await pause(7_500);
        process.kill(stalled.pid, 'SIGCONT');
      },
    },
    faults: (seen) => ({ ...calm(seen), cancels: seen.cancels }),
  },
  shutdown: {
    options: {
      workers: 2,
      jobs: 8,
      ms: 4_000,
      loses: false,
      act: async (world) => {
        await untilSubmitted(world);
        process.kill(world.running[0].pid, 'SIGTERM');
        await world.running[0].ended;
      },
    },
    faults: (seen) => ({ ...calm(seen), cancels: seen.cancels }),
  },
  cancel: {
    options: {
      workers: 2,
      jobs: 8,
      ms: 600_000,
      loses: false,
      act: async (world) => {
        await untilSubmitted(world);
        await Promise.all(world.ids.map((id) => world.queue.cancel(id)));
        const until = performance.now() + 30_000;
        const areLeft = () => world.emulator.jobs().some(({ status }) => status !== 'CANCELLED');
        while (areLeft() && performance.now() < until) await pause(50);
        // For cancels too many.
        await pause(1_500);
      },
    },
    faults: (seen) => ({
      lost: seen.lost,
      'submissions too many or too few': Math.abs(seen.runs - seen.jobs),
      'cancels too many or too few': Math.abs(seen.cancels - seen.jobs),
      'jobs that were not cancelled': seen.emulator.jobs().filter(({ status }) => status !== 'CANCELLED').length,
    }),
  },
  restart: {
    options: {
      own: true,
      jobs: quick ? 40 : 200,
      act: async (world) => {
        for (const part of [0.2, 0.6]) {
          while (world.sent() < world.jobs * part) await pause(5);
          await world.server.restart(1_000);
        }
      },
    },
    faults: (seen) => ({
      ...always(seen),
      'failed jobs': seen.failed.length,
      'paid twice': seen.doubles,
      cancels: seen.cancels,
    }),
  },
});

/** All scenarios of both engines, by their names. */
export function queueScenarios({ quick }) {
  return Object.fromEntries(
    Object.keys(engines).flatMap((engine) =>
      Object.entries(scenarios(engine, quick)).map(([name, { options, faults }]) => [
        `${engine}:${name}`,
        { play: (random) => playQueue({ engine, ...options, random }), faults },
      ]),
    ),
  );
}
