import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { table } from '../../src/emulator/operations/table.js';
import { UUID, world } from './world.js';

/** One request for an operation, and its answer. Words in capitals stand for ids. */
interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
  /** The whole body, key order included. */
  readonly text: string | RegExp;
}

const WORKER = '[a-z0-9]{14}';
const done = (id: string): RegExp =>
  new RegExp(
    `^{"delayTime":0,"executionTime":0,"id":"${id}","output":{"x":1},"status":"COMPLETED","workerId":"${WORKER}"}$`,
  );
const summary = (id: string, status: string): RegExp =>
  new RegExp(
    `^{"id":"${id}","endpointId":"demo"(,"name":"n")?,"status":"${status}","requestTotal":\\d,"requestInProgress":\\d,"requestCompleted":\\d,"requestFailed":0,"createdAt":0}$`,
  );
const BATCH = 'batch_[a-z0-9]{10}';
const notFound = '{"error":"job not found"}';

const routes: readonly Route[] = [
  {
    method: 'POST',
    path: 'run',
    body: { input: { x: 1 } },
    status: 200,
    text: new RegExp(`^{"id":"${UUID}-u1","status":"IN_QUEUE"}$`),
  },
  { method: 'POST', path: 'runsync', body: { input: { x: 1 } }, status: 200, text: done(`sync-${UUID}-u1`) },
  { method: 'GET', path: 'status/DONE', status: 200, text: done(`${UUID}-u1`) },
  { method: 'POST', path: 'status/DONE', status: 200, text: done(`${UUID}-u1`) },
  { method: 'GET', path: 'status/UNKNOWN', status: 404, text: notFound },
  { method: 'GET', path: 'status-sync/DONE', status: 200, text: done(`${UUID}-u1`) },
  { method: 'POST', path: 'status-sync/DONE', status: 200, text: done(`${UUID}-u1`) },
  { method: 'GET', path: 'stream/DONE', status: 200, text: '{"status":"COMPLETED","stream":[]}' },
  { method: 'POST', path: 'stream/DONE', status: 200, text: '{"status":"COMPLETED","stream":[]}' },
  { method: 'GET', path: 'stream/UNKNOWN', status: 404, text: notFound },
  {
    method: 'POST',
    path: 'cancel/WAITING',
    body: {},
    status: 200,
    text: new RegExp(`^{"id":"${UUID}-u1","status":"CANCELLED"}$`),
  },
  { method: 'POST', path: 'cancel/UNKNOWN', status: 404, text: notFound },
  { method: 'POST', path: 'retry/FAILED', status: 200, text: new RegExp(`^{"id":"${UUID}-u1","status":"IN_QUEUE"}$`) },
  { method: 'POST', path: 'retry/DONE', status: 400, text: '{"error":"job cannot be retried"}' },
  { method: 'POST', path: 'purge-queue', body: {}, status: 200, text: '{"removed":1,"status":"completed"}' },
  {
    method: 'GET',
    path: 'health',
    status: 200,
    text: '{"jobs":{"completed":1,"failed":1,"inProgress":0,"inQueue":1,"retried":0},"workers":{"idle":1,"initializing":0,"ready":1,"running":0,"throttled":0,"unhealthy":0}}',
  },
  {
    method: 'GET',
    path: 'requests',
    status: 200,
    text: new RegExp(`^{"requests":\\[{"id":"${UUID}-u1","status":"IN_QUEUE"}\\]}$`),
  },
  {
    method: 'GET',
    path: 'metrics',
    status: 200,
    text: new RegExp(
      `^{"workers":{"ready":1,"running":0,"idle":1,"initializing":0,"throttled":0,"unhealthy":0},"readyWorkers":\\["${WORKER}"\\]}$`,
    ),
  },
  {
    method: 'POST',
    path: 'openai/v1/chat/completions',
    body: { model: 'm' },
    status: 200,
    text: '{"openai_route":"/v1/chat/completions","openai_input":{"model":"m"}}',
  },
  { method: 'GET', path: 'openai/v1/models', status: 200, text: '{"openai_route":"/v1/models","openai_input":{}}' },
  { method: 'POST', path: 'batch', body: [], status: 200, text: new RegExp(`^{"id":"${BATCH}","status":"DRAFT"}$`) },
  { method: 'GET', path: 'batch', status: 200, text: /^{"batches":\[{"id":"batch_/ },
  { method: 'GET', path: 'batch/BATCH', status: 200, text: summary(BATCH, 'DRAFT') },
  { method: 'PUT', path: 'batch/BATCH', body: { name: 'n' }, status: 200, text: summary(BATCH, 'DRAFT') },
  { method: 'POST', path: 'batch/BATCH/requests', body: { requests: [] }, status: 200, text: summary(BATCH, 'DRAFT') },
  {
    method: 'GET',
    path: 'batch/BATCH/requests',
    status: 200,
    text: /^{"requests":\[{"id":"req_[a-z0-9]{10}","status":"IN_QUEUE"}\],"total":1,"offset":0,"limit":50,"hasMore":false}$/,
  },
  { method: 'DELETE', path: 'batch/BATCH/requests/REQUEST', status: 200, text: summary(BATCH, 'DRAFT') },
  { method: 'POST', path: 'batch/BATCH/finalize', status: 200, text: summary(BATCH, 'FINALIZED') },
  { method: 'POST', path: 'batch/BATCH/cancel', status: 200, text: summary(BATCH, 'CANCELLED') },
  {
    method: 'GET',
    path: 'job-take/w1?gpu=local&job_in_progress=0',
    status: 200,
    text: new RegExp(`^{"id":"${UUID}-u1","input":{"x":1},"policy":{"lowPriority":true}}$`),
  },
  {
    method: 'GET',
    path: 'job-take-batch/w1?gpu=local&batch_size=5',
    status: 200,
    text: /^\[{"id":"[^"]+","input":{"x":1}/,
  },
  { method: 'GET', path: 'job-stop/w1?gpu=local', status: 204, text: '' },
  { method: 'GET', path: 'ping/w1?gpu=local', status: 200, text: '' },
  { method: 'POST', path: 'job-done/w1/UNKNOWN?gpu=local', body: { output: 1 }, status: 404, text: notFound },
  { method: 'POST', path: 'job-stream/w1/UNKNOWN?gpu=local', body: { output: 1 }, status: 404, text: notFound },
  { method: 'GET', path: 'ping', status: 400, text: '{"error":"not allowed for QB API"}' },
  { method: 'GET', path: 'any/path', status: 400, text: '{"error":"not allowed for QB API"}' },
];

/** An endpoint with a completed, a failed and a waiting job, and a batch. */
function prepared() {
  const w = world({
    endpoints: {
      demo: {
        // The waiting job has low priority, and a low-priority job starts no worker.
        handler: ({ input }) => (input.bad ? { error: 'no' } : input),
        workers: 1,
      },
    },
  });
  const ids: Record<string, string> = { UNKNOWN: 'none' };
  ids.DONE = w.submit();
  ids.FAILED = w.submit({ bad: 1 });
  w.until(0);
  return { ...w, ids };
}

function play({ method, path, body }: Route) {
  const w = prepared();
  const { ids, until, ask, send } = w;
  const batch = ask('POST', 'demo/batch', [{ input: { x: 1 } }]);
  ids.BATCH = String(batch.id);
  const requests = ask('GET', `demo/batch/${ids.BATCH}/requests`).requests as { id: string }[];
  ids.REQUEST = requests[0]!.id;
  // The job waits, because workers take jobs in the scheduler's next turn.
  const needsWaiting = ['cancel', 'purge-queue', 'health', 'requests', 'job-take', 'job-take-batch'];
  if (needsWaiting.includes(path.split(/[/?]/)[0]!))
    ids.WAITING = w.submit({ x: 1 }, { policy: { lowPriority: true } });
  const url = path.replace(/\b[A-Z]{4,}\b/g, (name) => ids[name] ?? name);
  const seen = send(method as 'GET', `demo/${url}`, body);
  until(200_000);
  return seen;
}

describe('every route', () => {
  test.each(routes.map((route) => ({ ...route, title: `${route.method} ${route.path}` })))('$title', (route) => {
    const { status, text } = play(route);
    expect(status).toBe(route.status);
    if (typeof route.text === 'string') expect(text).toBe(route.text);
    else expect(text).toMatch(route.text);
  });

  test.each([...table])('%s is tested with each of its methods, and refuses all others', (operation, { methods }) => {
    const walked = routes.filter(({ path }) => path.split(/[/?]/)[0] === operation).map(({ method }) => method);
    expect(new Set(walked)).toEqual(new Set(methods));
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'].filter((name) => !methods.includes(name))) {
      const answer = prepared().send(method as 'GET', `demo/${operation}/x/y`);
      expect([answer.status, answer.headers?.allow]).toEqual([405, methods.join(', ')]);
    }
  });
});

describe('docs/emulator-routes.md', () => {
  const page = readFileSync(new URL('../../docs/emulator-routes.md', import.meta.url), 'utf8');
  // | `GET` `POST` | `/status/{id}` | …
  const rows = [...page.matchAll(/^\| ((?:`[A-Z]+` ?)+)\s*\| `\/([^`]*)`/gm)].map(([, methods = '', path = '']) => ({
    methods: [...methods.matchAll(/[A-Z]+/g)].map(([method]) => method),
    path,
  }));
  const form = (path: string): string =>
    path
      .replace(/\?.*/, '')
      .replace(/\b(DONE|WAITING|FAILED|UNKNOWN|BATCH)\b/g, '{id}')
      .replace('REQUEST', '{request}')
      .replace(/\bw1\b/, '{worker}')
      .replace(/^openai\/v1\/(?!models).*/, 'openai/v1/…');

  test('has a row for every route, and no other', () => {
    const documented = new Set(rows.flatMap(({ methods, path }) => methods.map((method) => `${method} ${path}`)));
    const served = new Set(
      routes
        .filter(({ text }) => !String(text).includes('QB API'))
        .map(({ method, path }) => `${method} ${form(path)}`),
    );
    expect([...documented].sort()).toEqual([...served].sort());
  });
});
