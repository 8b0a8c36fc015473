/**
 * Ways to get many jobs done. Each is a function that is called with the world and begins at once. It calls
 * `world.noticed(index, output)` when it knows that a job is completed, and `world.failed(index, error)` when it gives a
 * job up.
 *
 * @typedef {object} World
 * @property {number} jobs - how many there are to do
 * @property {number} inFlight - how many may be in flight at once
 * @property {import('rxjs').SchedulerLike} scheduler
 * @property {import('runpod-rx/testing').Emulator} emulator
 * @property {import('runpod-rx').Transport} transport - the way to the emulator
 * @property {unknown} limits - the limits of the endpoint, as the client's option `limits` takes them
 * @property {() => number} random
 * @property {(index: number, output: unknown) => void} noticed
 * @property {(index: number, error: unknown) => void} failed
 * @property {(listener: (index: number, executionTime: number) => void) => void} onEnd - called when a worker is done with a job
 */
import { Subject, tap } from 'rxjs';
import { createRunpod, vouchedNotice } from 'runpod-rx';
import { pipeline } from '../lib/pipeline.mjs';

const BASE_URL = 'http://localhost/v2';

/** The input of the job with a number. */
export const inputOf = (index) => ({ index });

/** This library, by a pipeline, with the options of its jobs. */
const runpodRx = (options) => (world) => runPipeline(world, options);

/** This library, by a pipeline, and a page that hears of each end by a webhook, as late as an answer would come. */
function toldByWebhooks(world) {
  const { scheduler, transport, random, onEnd } = world;
  const notices = new Subject();
  const ids = new Map();
  const rememberingIds = (request) =>
    transport(request).pipe(
      tap(({ text }) => {
        if (request.operation === 'run') ids.set(JSON.parse(request.body).input.index, JSON.parse(text).id);
      }),
    );
  rememberingIds.multiplexes = true;
  onEnd((index, executionTime) => {
    const body = { id: ids.get(index), status: 'COMPLETED', output: index, delayTime: 0, executionTime };
    scheduler.schedule(() => notices.next(vouchedNotice(body)), 20 + random() * 40);
  });
  runPipeline({ ...world, transport: rememberingIds }, undefined, notices);
}

function runPipeline({ scheduler, transport, limits, random, inFlight, jobs, ...world }, options, notices) {
  const client = createRunpod({ transport, notices, baseUrl: BASE_URL, scheduler, limits, random });
  const requests = Array.from({ length: jobs }, (_, index) => ({ input: inputOf(index) }));
  const endpoint = client.endpoint('fleet');
  // The documented limits grow with the workers, and the endpoint's health says how many workers run.
  const watching = limits === 'documented' ? endpoint.watchHealth().subscribe() : undefined;
  const runner = options ? (request) => endpoint.runToEnd(request, options) : endpoint;
  pipeline(runner, requests, Math.min(jobs, inFlight)).subscribe({
    complete: () => watching?.unsubscribe(),
    next: (item) => {
      if (item.ok) world.noticed(item.index, item.output);
      else world.failed(item.index, item.error);
    },
    error: (error) => {
      throw error;
    },
  });
}

/** A program written from RunPod's documentation: submit, then read the status at an interval until the job is over. */
const polling = (every) => (world) => {
  const { scheduler } = world;
  const later = (act) => scheduler.schedule(act, every);
  pump(world, (index, done) => {
    const submit = () =>
      send(world, 'POST', 'run', { input: inputOf(index) }, (reply) => (reply ? read(reply.id) : later(submit)));
    const read = (id) =>
      send(world, 'GET', `status/${id}`, undefined, (reply) => {
        if (reply?.status === 'COMPLETED') done(reply.output);
        else later(() => read(id));
      });
    submit();
  });
};

/** Long polls: the service holds each until the job is over. A request that is refused is sent again a second later. */
function statusSync(world) {
  const { scheduler } = world;
  const later = (act) => scheduler.schedule(act, 1_000);
  pump(world, (index, done) => {
    const submit = () =>
      send(world, 'POST', 'run', { input: inputOf(index) }, (reply) => (reply ? read(reply.id) : later(submit)));
    const read = (id) =>
      send(world, 'GET', `status-sync/${id}?wait=90000`, undefined, (reply) => {
        if (reply?.status === 'COMPLETED') done(reply.output);
        else if (reply) read(id);
        else later(() => read(id));
      });
    submit();
  });
}

/**
 * The best that a client could do: it knows the end of a job at once, and submits at the first moment that the limits
 * allow. It finds that moment by trying each millisecond, so its refusals do not count.
 */
function ideal(world) {
  const { scheduler, emulator, jobs, inFlight, onEnd } = world;
  let next = 0;
  let running = 0;
  let waiting = false;
  const fill = () => {
    waiting = false;
    while (next < jobs && running < inFlight) {
      let taken = false;
      const body = JSON.stringify({ input: inputOf(next) });
      emulator
        .handle({ method: 'POST', url: `${BASE_URL}/fleet/run`, headers: {}, body })
        .subscribe(({ status }) => (taken = status === 200));
      if (!taken) {
        waiting = true;
        scheduler.schedule(fill, 1);
        return;
      }
      next += 1;
      running += 1;
    }
  };
  onEnd((index) => {
    running -= 1;
    world.noticed(index, index);
    if (!waiting) fill();
  });
  fill();
}

/** All clients by the name they have in the results. */
export const clients = {
  'runpod-rx': runpodRx(),
  'runpod-rx, plain reads': runpodRx({ longPoll: false }),
  'runpod-rx, held for 90 s': runpodRx({ longPoll: 90_000 }),
  'runpod-rx, told by webhooks': toldByWebhooks,
  'a poll each 5 s': polling(5_000),
  'a poll each 0.5 s': polling(500),
  'a status-sync loop': statusSync,
  ideal,
};

/** Starts jobs so that `inFlight` of them are in flight, until all are started. */
function pump({ jobs, inFlight, noticed }, start) {
  let next = 0;
  const more = () => {
    if (next >= jobs) return;
    const index = next++;
    start(index, (output) => {
      noticed(index, output);
      more();
    });
  };
  for (let count = Math.min(jobs, inFlight); count > 0; count -= 1) more();
}

/** Sends a request, and calls `answered` with the answer's JSON, or with undefined when the request is refused or fails. */
function send({ transport }, method, path, json, answered) {
  transport({
    method,
    url: `${BASE_URL}/fleet/${path}`,
    headers: {},
    ...(json && { body: JSON.stringify(json) }),
    timeout: 120_000,
    operation: path.replace(/[/?].*/, ''),
  }).subscribe({
    next: ({ status, text }) => answered(status === 200 ? JSON.parse(text) : undefined),
    error: () => answered(undefined),
  });
}
