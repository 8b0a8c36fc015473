import { concatMap, interval, map, of, take, throwError } from 'rxjs';
import { expect, test } from 'vitest';
import type { EmulatedEndpoint, EmulatorOptions, Variants } from 'runpod-rx/testing';
import { world } from './world.js';

/**
 * Recorded answers of the service, each with the steps after which the emulator must give the same answer. Ids, worker ids
 * and tracebacks are replaced on both sides; everything else, including the order of the keys, must be equal.
 */
interface Recorded {
  readonly literal: string;
  /** Set if the record's keys are not in the service's order, which is alphabetical in every raw capture. */
  readonly reordered?: true;
  /** Set if the record has neither the job's id nor the worker's. */
  readonly withoutId?: true;
  readonly endpoint: EmulatedEndpoint;
  readonly variants?: Variants;
  readonly options?: Partial<EmulatorOptions>;
  /** Older answers had no `workerId`. */
  readonly withoutWorker?: true;
  /** The HTTP status. Default 200. */
  readonly status?: number;
  readonly operation?: 'run' | 'runsync';
  readonly input?: object;
  readonly query?: string;
  /** When to send the request, in milliseconds. */
  readonly at?: number;
  /** The request. Default `/status`. Absent for `/runsync`, whose own answer is compared. */
  readonly read?: (id: string) => readonly ['GET' | 'POST', string];
  /** The steps before the request. */
  readonly before?: (w: ReturnType<typeof world>, id: string) => void;
}

const after =
  (ms: number, output: unknown): EmulatedEndpoint['handler'] =>
  (_, { delay }) =>
    delay(ms).pipe(map(() => output));
const words = ['streaming', 'from', 'a', 'runpod', 'worker', 'really', 'works'].map((word, index) => ({ index, word }));
const yielding: EmulatedEndpoint = {
  handler: (_, { scheduler }) =>
    interval(500, scheduler).pipe(
      take(7),
      map((index) => words[index]),
    ),
  stream: true,
};
const stream = (id: string) => ['GET', `stream/${id}`] as const;

const recorded: Record<string, Recorded> = {
  run: {
    literal: '{"id":"c165626f-...-u1","status":"IN_QUEUE"}',
    endpoint: { handler: () => 1 },
    read: (id) => ['GET', `status/${id}`],
    at: -1,
  },
  'run, when ids had no region': {
    literal: '{"id":"eaebd6e7-6a92-4bb8-a911-f996ac5ea99d","status":"IN_QUEUE"}',
    endpoint: { handler: () => 1, region: '' },
    read: (id) => ['GET', `status/${id}`],
    at: -1,
  },
  'runsync that waited long enough': {
    literal:
      '{"delayTime":3355,"executionTime":40,"id":"sync-74e1ff96-...-u2","output":{"echo":{"name":"Justin"},"message":"hello Justin"},"status":"COMPLETED","workerId":"nlzo8ccfn6q1t0"}',
    endpoint: {
      coldStart: 3_355,
      handler: ({ input }, { delay }) =>
        delay(40).pipe(map(() => ({ echo: input, message: `hello ${String(input.name)}` }))),
      region: 'u2',
    },
    operation: 'runsync',
    input: { name: 'Justin' },
  },
  'runsync of a public endpoint': {
    literal:
      '{"delayTime":17,"executionTime":3986,"id":"sync-0965434e-ff63-4a1c-a9f9-5b705f66e176-u2","output":{"cost":0.02097152,"image_url":"https://image.runpod.ai/..."},"status":"COMPLETED","workerId":"oqk7ao1uomckye"}',
    endpoint: {
      coldStart: 17,
      handler: after(3_986, { cost: 0.02097152, image_url: 'https://image.runpod.ai/...' }),
      region: 'u2',
    },
    operation: 'runsync',
  },
  'runsync before workers had names': {
    literal:
      '{"delayTime":824,"executionTime":3391,"id":"sync-79164ff4-d212-44bc-9fe3-389e199a5c15","output":[{"image":"https://image.url","seed":46578}],"status":"COMPLETED"}',
    endpoint: { coldStart: 824, handler: after(3_391, [{ image: 'https://image.url', seed: 46578 }]), region: '' },
    operation: 'runsync',
    withoutWorker: true,
  },
  'runsync of a language model, after a cold start': {
    literal:
      '{"delayTime":44073,"executionTime":3469,"status":"COMPLETED","id":"sync-4c4c4f9c-...-u1","workerId":"kial9wg5uyd12h","output":[{"choices":[{"tokens":[" We offer fast ..."]}],"cost":0.0011,"usage":{"input":10,"output":100}}]}',
    reordered: true,
    endpoint: {
      coldStart: 44_073,
      handler: after(3_469, [
        { choices: [{ tokens: [' We offer fast ...'] }], cost: 0.0011, usage: { input: 10, output: 100 } },
      ]),
    },
    operation: 'runsync',
  },
  'runsync whose wait is over': {
    literal: '{"id":"sync-...-u1","status":"IN_PROGRESS"}',
    endpoint: { handler: after(200_000, 1) },
    operation: 'runsync',
    query: '?wait=1000',
  },
  IN_QUEUE: {
    literal: '{"id":"c165626f-...-u1","status":"IN_QUEUE"}',
    endpoint: { handler: () => 1, coldStart: 10_000 },
    at: 5_000,
  },
  IN_PROGRESS: {
    literal: '{"delayTime":61372,"id":"bd9227e3-...-u1","status":"IN_PROGRESS","workerId":"z3jr9rv2k3tt2y"}',
    endpoint: { handler: after(200_000, 1), coldStart: 61_372 },
    at: 61_372,
  },
  'IN_PROGRESS again after the worker was lost': {
    literal:
      '{"delayTime":101050,"id":"bd9227e3-...-u1","retries":1,"status":"IN_PROGRESS","workerId":"z3jr9rv2k3tt2y"}',
    endpoint: { handler: () => 1, coldStart: 61_372, lostAfter: 39_678 },
    input: {},
    at: 101_050,
  },
  'IN_PROGRESS with executionTime': {
    literal:
      '{"id":"97a5521f-983a-432c-8da5-99506599aec9-e1","status":"IN_PROGRESS","delayTime":5060,"executionTime":120000}',
    reordered: true,
    endpoint: {
      coldStart: 5_060,
      region: 'e1',
      // Progress without content.
      handler: (_, { delay, progress }) =>
        delay(120_000).pipe(
          concatMap(() => {
            progress(undefined);
            return delay(100_000);
          }),
        ),
    },
    withoutWorker: true,
    at: 126_000,
  },
  'IN_PROGRESS with progress': {
    literal:
      '{"delayTime":106401,"executionTime":4491,"id":"c395fafc-e87d-4a95-9241-42667a14d5fe-e1","output":"discrete_diarization;None;None","status":"IN_PROGRESS"}',
    endpoint: {
      coldStart: 106_401,
      region: 'e1',
      handler: (_, { delay, progress }) =>
        delay(4_491).pipe(
          concatMap(() => {
            progress('discrete_diarization;None;None');
            return delay(10_000);
          }),
        ),
    },
    withoutWorker: true,
    at: 115_000,
  },
  COMPLETED: {
    literal:
      '{"delayTime":15088,"executionTime":60,"id":"04f01223-4aa2-40df-bdab-37e5caa43cbe-u1","output":"Hello World","status":"COMPLETED","workerId":"uhbbfre73gqjwh"}',
    endpoint: { coldStart: 15_088, handler: after(60, 'Hello World') },
    at: 20_000,
  },
  'COMPLETED without an output': {
    literal:
      '{"delayTime":100,"executionTime":1571,"id":"1c0cdba2-6102-4063-a845-a8174a825cac-e2","status":"COMPLETED","workerId":"1awbdsmhschpqw"}',
    endpoint: { coldStart: 100, handler: after(1_571, 'lost'), region: 'e2' },
    options: { faults: { 'no-output': 1 } },
    at: 5_000,
  },
  'FAILED by an exception': {
    literal:
      '{"delayTime":18810,"error":"{\\"error_type\\": \\"<class \'AttributeError\'>\\", \\"error_message\\": \\"\'Results\' object has no attribute \'tojson\'...\\", \\"error_traceback\\": \\"...\\", \\"hostname\\": \\"jtf4e3047pxuhr-64410d87\\", \\"worker_id\\": \\"jtf4e3047pxuhr\\", \\"runpod_version\\": \\"1.8.2\\"}","executionTime":3005,"id":"82c70002-ba69-4ec3-91cc-4e48020fa407-e2","status":"FAILED","workerId":"jtf4e3047pxuhr"}',
    endpoint: {
      coldStart: 18_810,
      region: 'e2',
      handler: (_, { delay }) =>
        delay(3_005).pipe(
          concatMap(() =>
            throwError(() =>
              Object.assign(new Error("'Results' object has no attribute 'tojson'..."), { name: 'AttributeError' }),
            ),
          ),
        ),
    },
    at: 30_000,
  },
  'FAILED because the worker never reported': {
    literal:
      '{"delayTime":101050,"error":"job timed out after 1 retries","executionTime":42078,"id":"bd9227e3-...-u1","retries":1,"status":"FAILED","workerId":"z3jr9rv2k3tt2y"}',
    endpoint: { lostAfter: 39_678 },
    before: (w, id) => {
      const take = () => w.send('GET', 'demo/job-take/z3jr9rv2k3tt2y?gpu=local');
      w.until(61_372);
      take();
      w.until(101_050);
      take();
      // The last sign of life.
      w.until(101_050 + 42_078 - 39_678);
      w.send('GET', `demo/ping/z3jr9rv2k3tt2y?job_id=${id}`);
    },
    at: 200_000,
  },
  'FAILED because it ran for too long': {
    literal:
      '{"delayTime":842,"error":"executionTimeout exceeded","executionTime":3612120,"id":"0f6c42a5-...-u2","status":"FAILED","workerId":"z3jr9rv2k3tt2y"}',
    endpoint: { coldStart: 842, killLag: 12_120, region: 'u2', handler: after(1e9, 1), executionTimeout: 3_600_000 },
    at: 3_700_000,
  },
  'FAILED with an output beside the error': {
    literal:
      '{"id":"sync-6f9286ab-2453-4fba-a18d-871d514660ac-e2","status":"FAILED","delayTime":3383,"executionTime":4651,"error":"Total pixels (262144) must be between 589824 and 2073600.","output":{"status":"failed"}}',
    reordered: true,
    endpoint: {
      coldStart: 3_383,
      region: 'e2',
      handler: after(4_651, {
        error: 'Total pixels (262144) must be between 589824 and 2073600.',
        status: 'failed',
      }),
    },
    operation: 'runsync',
    withoutWorker: true,
  },
  'FAILED, as the documentation has it with a 400': {
    literal: '{"id":"sync-...","status":"FAILED","error":"Invalid prompt"}',
    status: 400,
    endpoint: { handler: () => ({ error: 'Invalid prompt' }), region: '' },
    variants: { failed: 'bad-request' },
    operation: 'runsync',
  },
  cancel: {
    literal: '{"id":"724907fe-7bcc-4e42-998d-52cb93e1421f-u1","status":"CANCELLED"}',
    endpoint: { handler: after(1_000, 1) },
    at: 500,
    read: (id) => ['POST', `cancel/${id}`],
  },
  retry: {
    literal: '{"id":"60902e6c-08a1-426e-9cb9-9eaec90f5e2b-u1","status":"IN_QUEUE"}',
    endpoint: { handler: () => ({ error: 'no' }) },
    at: 500,
    read: (id) => ['POST', `retry/${id}`],
  },
  'purge-queue': {
    literal: '{"removed":2,"status":"completed"}',
    endpoint: { handler: () => 1, workers: 0 },
    before: (w) => w.submit(),
    at: 500,
    read: () => ['POST', 'purge-queue'],
  },
  'stream, in the queue': {
    literal: '{"status":"IN_QUEUE","stream":[]}',
    endpoint: { ...yielding, coldStart: 60_000 },
    read: stream,
    at: 0,
  },
  'stream, the first chunk': {
    literal: '{"status":"IN_PROGRESS","stream":[{"output":{"index":0,"word":"streaming"}}]}',
    endpoint: yielding,
    read: stream,
    at: 500,
  },
  'stream, two chunks': {
    literal:
      '{"status":"IN_PROGRESS","stream":[{"output":{"index":2,"word":"a"}},{"output":{"index":3,"word":"runpod"}}]}',
    endpoint: yielding,
    before: (w, id) => {
      w.until(1_000);
      w.ask('GET', `demo/stream/${id}`);
    },
    read: stream,
    at: 2_000,
  },
  'stream, the last chunk': {
    literal: '{"status":"COMPLETED","stream":[{"output":{"index":6,"word":"works"}}]}',
    endpoint: yielding,
    before: (w, id) => {
      w.until(3_000);
      w.ask('GET', `demo/stream/${id}`);
    },
    read: stream,
    at: 3_500,
  },
  'an aggregated stream': {
    literal:
      '{"status":"COMPLETED","delayTime":24422,"executionTime":4574,"output":[{"index":0,"word":"streaming"},{"index":1,"word":"from"},{"index":2,"word":"a"}]}',
    reordered: true,
    withoutId: true,
    withoutWorker: true,
    endpoint: {
      coldStart: 24_422,
      aggregate: true,
      handler: (_, { delay }) => delay(4_574).pipe(concatMap(() => of(words[0], words[1], words[2]))),
    },
    at: 40_000,
  },
  health: {
    literal:
      '{"jobs":{"completed":31,"failed":0,"inProgress":0,"inQueue":1,"retried":0},"workers":{"idle":1,"initializing":1,"ready":1,"running":0,"throttled":0,"unhealthy":0}}',
    endpoint: { handler: after(10, 1), workers: { min: 1, max: 2 }, coldStart: 60_000 },
    before: (w) => {
      for (let count = 1; count < 31; count += 1) w.submit();
      w.until(1_000);
      w.submit();
    },
    at: -1,
    read: () => ['GET', 'health'],
  },
  'a body that is too large': {
    literal: '{"error":"bad request: body: exceeded max body size of 10MiB"}',
    endpoint: { handler: () => 1 },
    at: 0,
    input: { x: 'x'.repeat(10 * 1024 * 1024) },
  },
  'an unknown endpoint': {
    literal: '{"detail":"endpoint not found"}',
    endpoint: { handler: () => 1 },
    at: 0,
    read: () => ['GET', '../other/health'],
  },
  'a path of load-balancer endpoints': {
    literal: '{"error":"not allowed for QB API"}',
    endpoint: { handler: () => 1 },
    at: 0,
    read: () => ['GET', 'ping'],
  },
};

/** Replaces all ids, worker ids and tracebacks with fixed texts. */
function neutral(text: string): string {
  return text
    .replace(/(sync-)?[0-9a-f]{8}-[-0-9a-f.]*?(-[eu]\d)?(?=")/g, '$1ID$2')
    .replace(/sync-\.\.\./g, 'sync-ID')
    .replace(/(workerId":"|worker_id\\": \\"|hostname\\": \\")[a-z0-9]{14}/g, '$1WORKER')
    .replace(/(error_traceback\\": \\")(?:.*?)(\\", \\"hostname)/g, '$1TRACEBACK$2');
}

/** Sorts the top-level keys of a job object into the service's order. */
function alphabetical(text: string): string {
  const body = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(Object.entries(body).sort(([one], [two]) => (one < two ? -1 : 1))));
}

test.each(Object.entries(recorded))('%s', (_, play) => {
  const w = world({ endpoints: { demo: play.endpoint }, variants: play.variants ?? {}, ...play.options });
  const { operation = 'run', query = '', input = { x: 1 }, at } = play;
  const submitted = w.send('POST', `demo/${operation}${query}`, { input });
  const id = String(w.emulator.jobs()[0]?.id);
  play.before?.(w, id);
  if (at !== undefined && at >= 0) w.until(at);
  const read = play.read ?? ((job: string) => ['GET', `status/${job}`] as const);
  let seen = submitted;
  if (operation === 'runsync') w.until(200_000);
  else if (submitted.status === 200) {
    const [method, path] = read(id);
    seen = w.send(method, `demo/${path}`);
    w.until(w.scheduler.now() + 10_000);
  }
  if (play.withoutWorker) seen.text = seen.text?.replace(/,"workerId":"[^"]*"/, '') ?? '';
  if (play.withoutId) seen.text = seen.text?.replace(/"id":"[^"]*",/, '') ?? '';
  expect(neutral(seen.text ?? 'no answer')).toBe(neutral(play.reordered ? alphabetical(play.literal) : play.literal));
  if (play.status !== undefined) expect(seen.status).toBe(play.status);
});
