import { describe, expect, test } from 'vitest';
import type { EmulatedEndpoint } from 'runpod-rx/testing';
import { world } from './world.js';

const echo: EmulatedEndpoint = { handler: ({ input }, { delay }) => (input.bad ? { error: 'no' } : delay(1_000)) };
const bodies = (count: number) => Array.from({ length: count }, (_, x) => ({ input: { x: x + 1 } }));

function start(demo: EmulatedEndpoint = echo) {
  const w = world({ endpoints: { demo }, limits: false });
  const create = (list: readonly object[] = []) => String(w.ask('POST', 'demo/batch', list).id);
  return { ...w, create };
}

describe('a batch', () => {
  test('is filled, runs when it is finalized, and is counted', () => {
    const { send, ask, create, until, emulator } = start();
    expect(send('POST', 'demo/batch', []).text).toMatch(/^{"id":"batch_[a-z0-9]{10}","status":"DRAFT"}$/);
    const id = create(bodies(2));
    expect(ask('POST', `demo/batch/${id}/requests`, { requests: [{ input: { bad: 1 } }] })).toMatchObject({
      requestTotal: 3,
    });
    until(100);
    expect(emulator.jobs()).toEqual([]);
    expect(ask('POST', `demo/batch/${id}/finalize`).status).toBe('FINALIZED');
    until(500);
    expect(send('GET', `demo/batch/${id}`).text).toBe(
      `{"id":"${id}","endpointId":"demo","status":"FINALIZED","requestTotal":3,"requestInProgress":2,"requestCompleted":0,"requestFailed":1,"createdAt":0}`,
    );
    until(5_000);
    expect(ask('GET', `demo/batch/${id}`)).toMatchObject({
      requestInProgress: 0,
      requestCompleted: 2,
      requestFailed: 1,
    });
    expect(emulator.jobs()).toHaveLength(3);
  });

  test('gives its id to the workers of its jobs', () => {
    const seen: unknown[] = [];
    const { send, ask, submit, create, until } = start({ handler: (job) => void seen.push(job), workers: 1 });
    const id = create(bodies(2));
    ask('POST', `demo/batch/${id}/finalize`);
    const remote = send('GET', 'demo/job-take/w1').text;
    until(0);
    const single = submit({ x: 9 });
    until(1);
    expect(remote).toMatch(new RegExp(`^{"id":"[^"]+","input":{"x":1},"batchId":"${id}"}$`));
    expect(seen).toEqual([
      { id: expect.any(String), input: { x: 2 }, batchId: id },
      { id: single, input: { x: 9 } },
    ]);
  });

  test('lists its requests in pages', () => {
    const { send, ask, create, until } = start();
    const id = create([{ input: { bad: 1 } }, ...bodies(2)]);
    ask('POST', `demo/batch/${id}/finalize`);
    until(5_000);
    expect(send('GET', `demo/batch/${id}/requests?limit=1`).text).toMatch(
      /^{"requests":\[{"id":"req_[a-z0-9]{10}","status":"FAILED","error":"no","startedAt":"1970-01-01T00:00:00Z","completedAt":"1970-01-01T00:00:00Z"}\],"total":3,"offset":0,"limit":1,"hasMore":true}$/,
    );
    expect(ask('GET', `demo/batch/${id}/requests?offset=1`)).toMatchObject({
      requests: [{ status: 'COMPLETED' }, { status: 'COMPLETED' }],
      total: 3,
      offset: 1,
      limit: 50,
      hasMore: false,
    });
    expect(ask('GET', `demo/batch/${id}/requests?offset=-1&limit=x`)).toMatchObject({ offset: 0, limit: 50 });
    expect(ask('GET', `demo/batch/${id}/requests?offset=9`)).toMatchObject({ requests: [], hasMore: false });
  });

  test('can be listed, renamed and cancelled, and its requests removed', () => {
    const { ask, send, create, until, emulator } = start({ ...echo, workers: 1 });
    const id = create(bodies(3));
    expect(ask('PUT' as 'POST', `demo/batch/${id}`, { name: 'night' })).toMatchObject({ id, name: 'night' });
    const later = create();
    expect(ask('GET', 'demo/batch').batches).toMatchObject([{ id: later }, { id, name: 'night' }]);
    const [first, second] = ask('GET', `demo/batch/${id}/requests`).requests as { id: string }[];
    expect(ask('DELETE' as 'POST', `demo/batch/${id}/requests/${first!.id}`)).toMatchObject({ requestTotal: 2 });
    expect(send('DELETE' as 'POST', `demo/batch/${id}/requests/${first!.id}`).status).toBe(404);
    ask('POST', `demo/batch/${id}/finalize`);
    until(10);
    expect(send('DELETE' as 'POST', `demo/batch/${id}/requests/${second!.id}`)).toMatchObject({ status: 400 });
    expect(ask('POST', `demo/batch/${id}/cancel`)).toMatchObject({ status: 'FINALIZED', requestInProgress: 1 });
    expect(emulator.jobs().map(({ end }) => end)).toEqual([undefined, 'cancelled']);
    expect(send('POST', `demo/batch/${id}/cancel`).status).toBe(400);
    until(2_000);
    expect(ask('GET', `demo/batch/${id}`)).toMatchObject({
      status: 'CANCELLED',
      requestTotal: 2,
      requestInProgress: 0,
      requestCompleted: 1,
      requestFailed: 0,
    });
    expect(send('POST', `demo/batch/${id}/cancel`).status).toBe(400);
    expect(send('POST', `demo/batch/${id}/finalize`).status).toBe(400);
  });

  test('counts the requests that run, and not those that wait', () => {
    const { ask, create, until } = start({ ...echo, workers: 2 });
    const id = create(bodies(5));
    ask('POST', `demo/batch/${id}/finalize`);
    expect(ask('GET', `demo/batch/${id}`)).toMatchObject({ requestTotal: 5, requestInProgress: 0 });
    until(500);
    expect(ask('GET', `demo/batch/${id}`)).toMatchObject({ requestTotal: 5, requestInProgress: 2 });
  });

  test('gives each request a job of the same id', () => {
    const { ask, create, until, emulator } = start();
    const id = create(bodies(2));
    ask('POST', `demo/batch/${id}/finalize`);
    until(5_000);
    const ids = (ask('GET', `demo/batch/${id}/requests`).requests as { id: string }[]).map((request) => request.id);
    expect(emulator.jobs().map((job) => job.id)).toEqual(ids);
    expect(ids.map((child) => ask('GET', `demo/status/${child}`).status)).toEqual(['COMPLETED', 'COMPLETED']);
  });

  test('is done when its completed and failed requests make up its total, also where one was cancelled by itself', () => {
    const { ask, create, until } = start({ ...echo, workers: 1 });
    const id = create(bodies(3));
    ask('POST', `demo/batch/${id}/finalize`);
    const [, , last] = ask('GET', `demo/batch/${id}/requests`).requests as { id: string }[];
    ask('POST', `demo/cancel/${last!.id}`);
    until(5_000);
    expect(ask('GET', `demo/batch/${id}`)).toMatchObject({
      status: 'FINALIZED',
      requestTotal: 3,
      requestCompleted: 2,
      requestFailed: 1,
    });
  });

  test('passes numbers on that JavaScript would change', () => {
    const { send, ask, create } = start({});
    const text = '[ {"input": {"seed": 9007199254740993, "scale": 1.0}}, {"input": {"x": 1}} ]';
    const { id } = JSON.parse(send('POST', 'demo/batch', text).text ?? '') as { id: string };
    ask('POST', `demo/batch/${id}/requests`, { requests: [{ input: { x: 2 } }] });
    send('POST', `demo/batch/${id}/requests`, '{"requests":[{"input":{"seed":9007199254740995}}]}');
    ask('POST', `demo/batch/${id}/finalize`);
    const taken = send('GET', 'demo/job-take-batch/w1?batch_size=4').text;
    expect(taken).toContain('"input":{"seed":9007199254740993,"scale":1.0}');
    expect(taken).toContain('"input":{"seed":9007199254740995}');
    expect(create()).toMatch(/^batch_/);
  });

  test('stays FINALIZED if all of its requests failed', () => {
    const { ask, create, until } = start();
    const id = create([{ input: { bad: 1 } }]);
    ask('POST', `demo/batch/${id}/finalize`);
    until(10);
    expect(ask('GET', `demo/batch/${id}`)).toMatchObject({
      status: 'FINALIZED',
      requestInProgress: 0,
      requestFailed: 1,
    });
  });

  test('refuses what exceeds its limits', () => {
    const { send, ask, create, until } = start();
    expect(send('POST', 'demo/batch', bodies(5_001))).toMatchObject({ status: 400 });
    const full = create(bodies(5_000));
    expect(send('POST', `demo/batch/${full}/requests`, { requests: bodies(1) }).status).toBe(400);
    for (let count = 0; count < 9; count += 1) create(bodies(5_000));
    expect(send('POST', 'demo/batch', [])).toMatchObject({
      status: 400,
      text: '{"error":"bad request: batch: at most 10 can be active"}',
    });
    ask('POST', `demo/batch/${full}/cancel`);
    expect(send('POST', 'demo/batch', [])).toMatchObject({ status: 200 });
    until(0);
  });

  test.each<[string, string, unknown, number]>([
    ['POST', 'batch', {}, 400],
    ['POST', 'batch', '{', 400],
    ['POST', 'batch', [{ input: [] }], 400],
    ['POST', 'batch', [7], 400],
    ['POST', 'batch', ' '.repeat(10 * 1024 * 1024 + 1), 400],
    ['POST', 'batch/ID/requests', [], 400],
    ['PUT', 'batch/ID', {}, 400],
    ['GET', 'batch/unknown', undefined, 404],
    ['GET', 'batch/ID/frob', undefined, 404],
    ['GET', 'batch/ID/requests/a/b', undefined, 404],
    ['DELETE', 'batch/ID/frob/a', undefined, 404],
    ['DELETE', 'batch', undefined, 405],
    ['DELETE', 'batch/ID', undefined, 405],
    ['PUT', 'batch/ID/requests', undefined, 405],
    ['GET', 'batch/ID/finalize', undefined, 405],
    ['GET', 'batch/ID/cancel', undefined, 405],
    ['GET', 'batch/ID/requests/a', undefined, 405],
  ])('%s %s is refused (%#)', (method, path, body, status) => {
    const { send, create, emulator } = start();
    expect(send(method as 'GET', `demo/${path.replace('ID', create())}`, body).status).toBe(status);
    expect(emulator.jobs()).toEqual([]);
  });
});
