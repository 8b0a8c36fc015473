import { createEmulator } from 'runpod-rx/testing';
import { map, tap } from 'rxjs';
import { HeapScheduler } from '../lib/HeapScheduler.mjs';
import { logNormal, seeded } from '../lib/random.mjs';
import { clients } from './clients.mjs';
import { gateways } from './gateways.mjs';

/** RunPod's documented limits while no worker runs. */
const BASE_LIMITS = {
  run: { requests: 1000, concurrent: 200 },
  runsync: { requests: 2000, concurrent: 400 },
  status: { requests: 2000, concurrent: 400 },
  'status-sync': { requests: 2000, concurrent: 400 },
  stream: { requests: 2000, concurrent: 400 },
  cancel: { requests: 100, concurrent: 20 },
  'purge-queue': { requests: 2 },
  requests: { requests: 10, concurrent: 2 },
};

const READS = new Set(['status', 'status-sync', 'stream', 'requests']);

/** The clock's first time, in milliseconds. Fixed windows begin at every tenth second, so this lies within one. */
const START = 4_321;

/** A job that is not finished after this much virtual time counts as lost, in milliseconds. */
const PATIENCE = 24 * 3_600_000;

/**
 * Plays one client against one endpoint in virtual time.
 *
 * @param {object} scenario
 * @param {keyof typeof clients} scenario.client
 * @param {number} scenario.jobs
 * @param {number} scenario.workers
 * @param {number} [scenario.inFlight] - without it, everything is submitted at once
 * @param {'base' | 'growing'} scenario.limits - whether running workers raise the limits, as documented
 * @param {'sliding' | 'fixed'} scenario.window - how the ten seconds of a rate limit are counted
 * @param {keyof typeof gateways} [scenario.gateway] - what stands before the service
 * @param {number} [scenario.median] - the median of the execution times, in milliseconds
 * @param {number} [scenario.seed]
 */
export function simulate({
  client,
  jobs,
  workers,
  inFlight = Infinity,
  limits,
  window,
  gateway,
  median = 8_000,
  seed = 1,
}) {
  const scheduler = new HeapScheduler(START);
  const durations = seeded(seed);
  const execution = Array.from({ length: jobs }, () => Math.round(logNormal(durations, median, 0.5)));
  const jitter = seeded(seed + 1);
  const enforced = limits === 'base' ? BASE_LIMITS : 'documented';
  let ended = () => {};
  // The nth job to start takes the nth duration, whichever job it is. Else a long job that starts late by chance would move
  // the end of the simulation by more than clients differ.
  let started = 0;
  const emulator = createEmulator({
    endpoints: {
      fleet: {
        handler: ({ input: { index } }, { delay }) => {
          const executionTime = execution[started++];
          return delay(executionTime).pipe(
            map(() => index),
            tap({ complete: () => scheduler.schedule(() => ended(index, executionTime)) }),
          );
        },
        workers: { max: workers, min: workers },
        executionTimeout: Infinity,
      },
    },
    limits: enforced,
    rateWindow: window,
    // The ideal client learns at once whether it may submit.
    latency: client === 'ideal' ? 0 : () => 20 + Math.floor(jitter() * 41),
    scheduler,
    seed,
    history: jobs + 1_000,
  });

  let reads = 0;
  let refused = 0;
  let requests = 0;
  const counting = emulator.requests$.subscribe(({ status }) => {
    if (status === 429) refused += 1;
  });

  const reach = gateway ? gateways[gateway](emulator, scheduler) : emulator.transport;
  // Requests are counted before the gateway, which may keep some from the emulator.
  const transport = (request) => {
    requests += 1;
    if (READS.has(request.operation)) reads += 1;
    return reach(request);
  };
  transport.multiplexes = true;
  const noticedAt = new Float64Array(jobs).fill(NaN);
  const errors = new Map();
  let finished = 0;
  let given = 0;
  let makespan = 0;
  const cpu = process.cpuUsage();
  clients[client]({
    jobs,
    inFlight,
    scheduler,
    emulator,
    transport,
    limits: enforced,
    random: seeded(seed + 2),
    noticed: (index, output) => {
      if (output !== index) throw new Error(`job ${index} was given the output of another: ${output}`);
      if (!Number.isNaN(noticedAt[index])) throw new Error(`job ${index} was given twice`);
      noticedAt[index] = scheduler.now();
      makespan = noticedAt[index] - START;
      finished += 1;
    },
    failed: (index, error) => {
      given += 1;
      const words = error.code ?? String(error);
      errors.set(words, (errors.get(words) ?? 0) + 1);
    },
    onEnd: (listener) => (ended = listener),
  });
  scheduler.flush(() => finished + given >= jobs, START + PATIENCE);
  const { user, system } = process.cpuUsage(cpu);
  counting.unsubscribe();

  const ledger = emulator.jobs();
  emulator.close();
  const late = [];
  for (const { input, endedAt } of ledger) {
    const at = noticedAt[input.index];
    if (!Number.isNaN(at)) late.push(at - endedAt);
  }
  late.sort((one, two) => one - two);
  return {
    finished,
    lost: jobs - finished,
    ...(ledger.length !== jobs && { submitted: ledger.length }),
    ...(errors.size > 0 && { errors: Object.fromEntries(errors) }),
    refused,
    requests,
    readsPerJob: reads / jobs,
    meanNotice: late.reduce((sum, ms) => sum + ms, 0) / late.length / 1_000,
    p95Notice: late[Math.floor(late.length * 0.95)] / 1_000,
    makespan: makespan / 1_000,
    cpu: (user + system) / 1e6,
  };
}
