import { map, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { FaultRule } from 'runpod-rx/testing';
import { world, type Seen, type World } from './world.js';

const remote = { endpoints: { demo: {} } };
const done = (w: World, worker: string, id: string, body: unknown): Seen =>
  w.send('POST', `demo/job-done/${worker}/${id}?gpu=local&isStream=false`, body);
const take = (w: World, worker = 'w1'): Seen => w.send('GET', `demo/job-take/${worker}?gpu=local&job_in_progress=0`);
const health = (w: World) => w.ask('GET', 'demo/health') as { jobs: object; workers: object };
const status = (w: World, id: string) => w.ask('GET', `demo/status/${id}`);

describe('taking', () => {
  test('gives the job that waits longest, as it was submitted', () => {
    const w = world(remote);
    const id = w.submit({ x: 1 });
    w.submit({ x: 2 });
    const more = { webhook: 'http://127.0.0.1:1/', policy: { ttl: 60_000 }, s3Config: { bucketName: 'b' } };
    const third = w.submit({ x: 3 }, { ...more, unknown: true });
    w.until(100);
    expect(take(w)).toMatchObject({ status: 200, text: `{"id":"${id}","input":{"x":1}}` });
    expect(status(w, id)).toEqual({ delayTime: 100, id, status: 'IN_PROGRESS', workerId: 'w1' });
    take(w);
    expect(JSON.parse(take(w).text ?? '')).toEqual({ id: third, input: { x: 3 }, ...more });
  });

  test('is held until there is a job', () => {
    const w = world(remote);
    const asked = take(w);
    w.until(3_000);
    expect(asked.at).toBeUndefined();
    w.submit();
    w.until(3_000);
    expect(asked).toMatchObject({ status: 200, at: 3_000 });
  });

  test('ends with 204 if no job comes', () => {
    const w = world(remote);
    const asked = take(w);
    w.until(60_000);
    expect(asked).toMatchObject({ status: 204, at: 10_000, text: '' });
  });

  test('gives one job to one worker only', () => {
    const w = world(remote);
    const asked = ['w1', 'w2', 'w3'].map((worker) => take(w, worker));
    w.submit();
    w.submit();
    w.until(10_000);
    expect(asked.map((seen) => seen.status)).toEqual([200, 200, 204]);
    expect(new Set(asked.map((seen) => seen.text)).size).toBe(3);
  });

  test('a worker that disconnects takes no job', () => {
    const w = world(remote);
    take(w).subscription.unsubscribe();
    const id = w.submit();
    w.until(0);
    expect(status(w, id).status).toBe('IN_QUEUE');
  });

  test('a batch gives the jobs that wait', () => {
    const w = world(remote);
    const ids = [1, 2, 3].map((x) => w.submit({ x }));
    const batch = (size: string) => w.send('GET', `demo/job-take-batch/w1?gpu=local&batch_size=${size}`);
    expect((JSON.parse(batch('2').text ?? '') as { id: string }[]).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(JSON.parse(batch('5').text ?? '')).toMatchObject([{ id: ids[2] }]);
    const held = batch('5');
    w.until(10_000);
    expect(held.status).toBe(204);
    for (const size of ['0', '-1', '1.5', 'x']) expect(batch(size).status).toBe(400);
  });

  test('leaves an empty input out', () => {
    const w = world(remote);
    const id = w.submit({});
    expect(take(w).text).toBe(`{"id":"${id}"}`);
  });

  test('shares the queue with the workers of this process', () => {
    const w = world({
      endpoints: { demo: { handler: (_, { delay }) => delay(1_000).pipe(map(() => 'here')), workers: 1 } },
    });
    const asked = take(w);
    const ids = [1, 2, 3].map((x) => w.submit({ x }));
    w.until(0);
    expect(JSON.parse(asked.text ?? '')).toMatchObject({ id: ids[0] });
    expect(health(w)).toMatchObject({ jobs: { inProgress: 2, inQueue: 1 }, workers: { running: 2 } });
    done(w, 'w1', ids[0]!, { output: 'there' });
    w.until(2_000);
    expect(ids.map((id) => status(w, id).output)).toEqual(['there', 'here', 'here']);
  });
});

describe('posting', () => {
  test.each([
    ['an output', { output: [1] }, { output: [1], status: 'COMPLETED' }],
    ['no output', {}, { status: 'COMPLETED' }],
    ['a falsy output', { output: null }, { output: null, status: 'COMPLETED' }],
    ['an error', { error: 'why' }, { error: 'why', status: 'FAILED' }],
    [
      'an error beside an output',
      { error: 'why', output: { a: 1 } },
      { error: 'why', output: { a: 1 }, status: 'FAILED' },
    ],
    ['an error that is none', { error: '', output: 1 }, { output: 1, status: 'COMPLETED' }],
  ])('%s ends the job', (_, body, shown) => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    w.until(50);
    expect(done(w, 'w1', id, body)).toMatchObject({ status: 200 });
    expect(status(w, id)).toEqual({ delayTime: 0, executionTime: 50, id, workerId: 'w1', ...shown });
    expect(health(w)).toMatchObject({ workers: { idle: 1, running: 0 } });
  });

  test('progress shows while the job runs', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    w.until(50);
    expect(done(w, 'w1', id, { status: 'IN_PROGRESS', output: { percent: 10 } }).status).toBe(200);
    expect(status(w, id)).toMatchObject({ executionTime: 50, output: { percent: 10 }, status: 'IN_PROGRESS' });
  });

  test('chunks are streamed', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    const read = w.send('GET', `demo/stream/${id}`);
    for (const output of ['a', null, 0])
      w.send('POST', `demo/job-stream/w1/${id}?gpu=local&isStream=false`, { output });
    w.until(0);
    expect(read.text).toBe('{"status":"IN_PROGRESS","stream":[{"output":"a"},{"output":null},{"output":0}]}');
    done(w, 'w1', id, { output: [] });
    expect(status(w, id)).toMatchObject({ output: [], status: 'COMPLETED' });
  });

  test('an unreadable body is refused, and the job goes on', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    for (const body of ['', 'output=1', '[]', '"x"', 'null', '{"output":NaN}']) {
      expect(done(w, 'w1', id, body)).toMatchObject({ status: 400 });
      expect(w.send('POST', `demo/job-stream/w1/${id}`, body)).toMatchObject({ status: 400 });
    }
    expect(w.send('POST', `demo/job-stream/w1/${id}`, { out: 1 })).toMatchObject({ status: 400 });
    expect(status(w, id).status).toBe('IN_PROGRESS');
    expect(done(w, 'w1', id, { output: 1 }).status).toBe(200);
  });

  test('a result that is too large is refused, and the job ends without an output', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    expect(done(w, 'w1', id, { output: 'x'.repeat(20 * 1024 * 1024) })).toMatchObject({
      status: 400,
      text: '{"error":"bad request: body: exceeded max body size of 20MiB"}',
    });
    expect(Object.keys(status(w, id))).toEqual(['delayTime', 'executionTime', 'id', 'status', 'workerId']);
  });

  test('a result that is posted twice counts once; a late progress changes nothing', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    done(w, 'w1', id, { output: 1 });
    expect(done(w, 'w1', id, { output: 2 }).status).toBe(200);
    expect(done(w, 'w1', id, { status: 'IN_PROGRESS', output: 3 }).status).toBe(200);
    expect(status(w, id)).toMatchObject({ output: 1, status: 'COMPLETED' });
    expect(health(w)).toMatchObject({ jobs: { completed: 1 } });
  });

  test('is refused from any worker but the worker that has the job', () => {
    const w = world(remote);
    const id = w.submit();
    expect(done(w, 'w1', id, { output: 1 }).status).toBe(404);
    take(w);
    expect(done(w, 'w2', id, { output: 1 }).status).toBe(404);
    expect(done(w, 'w1', 'nothing', { output: 1 }).status).toBe(404);
    expect(w.send('POST', `demo/job-stream/w2/${id}`, { output: 1 }).status).toBe(404);
    expect(status(w, id).status).toBe('IN_PROGRESS');
  });
});

describe('stop signals', () => {
  const stop = (w: World, worker = 'w1') => w.send('GET', `demo/job-stop/${worker}?gpu=local`);

  test("are sent once, to the job's worker, when the job is cancelled", () => {
    const w = world(remote);
    const [first, second] = [w.submit(), w.submit()];
    take(w);
    take(w, 'w2');
    const [mine, other] = [stop(w), stop(w, 'w2')];
    w.until(100);
    w.send('POST', `demo/cancel/${first}`);
    expect(mine).toMatchObject({ at: 100, text: `{"jobsToStop":["${first}"]}` });
    expect(other.at).toBeUndefined();
    const again = stop(w);
    w.until(60_000);
    expect([again.status, other.status]).toEqual([204, 204]);
    expect(done(w, 'w1', first, { output: 1 }).status).toBe(200);
    expect(status(w, second)).toMatchObject({ status: expect.not.stringMatching('CANCELLED') });
  });

  test('are kept until the worker fetches them', () => {
    const w = world(remote);
    const ids = [w.submit(), w.submit()];
    for (const id of ids) {
      take(w);
      w.send('POST', `demo/cancel/${id}`);
    }
    expect(JSON.parse(stop(w).text ?? '')).toEqual({ jobsToStop: ids });
  });

  test('are sent at a timeout and at the end of the time to live', () => {
    const w = world(remote);
    const killed = w.submit({ x: 1 }, { policy: { executionTimeout: 5_000 } });
    const expired = w.submit({ x: 1 }, { policy: { ttl: 10_000 } });
    take(w);
    take(w);
    const first = stop(w);
    w.until(9_000);
    expect(first).toMatchObject({ at: 8_000, text: `{"jobsToStop":["${killed}"]}` });
    const second = stop(w);
    w.until(10_000);
    expect(second).toMatchObject({ at: 10_000, text: `{"jobsToStop":["${expired}"]}` });
    expect(status(w, killed)).toMatchObject({ error: 'executionTimeout exceeded', status: 'FAILED' });
    expect(done(w, 'w1', expired, { output: 1 }).status).toBe(404);
  });

  test('are not sent when the job ended by itself', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    const asked = stop(w);
    done(w, 'w1', id, { output: 1 });
    w.until(10_000);
    expect(asked.status).toBe(204);
  });
});

describe('a stop signal that came too early', () => {
  const stop = (w: World, worker = 'w1') => w.send('GET', `demo/job-stop/${worker}?gpu=local`);
  const ping = (w: World, ids: string, worker = 'w1') => w.send('GET', `demo/ping/${worker}?gpu=local&job_id=${ids}`);

  test('is announced again whenever a ping names the job', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    w.send('POST', `demo/cancel/${id}`);
    expect(stop(w).text).toBe(`{"jobsToStop":["${id}"]}`);
    for (const at of [8_000, 16_000]) {
      const asked = stop(w);
      w.until(at - 5_000);
      expect(asked.at).toBeUndefined();
      ping(w, `other,${id}`);
      expect(asked.text).toContain(id);
    }
  });

  test('is not announced for a job that the worker runs, or has reported', () => {
    const w = world(remote);
    const [running, reported] = [w.submit(), w.submit()];
    take(w);
    take(w);
    done(w, 'w1', reported, { output: 1 });
    const asked = stop(w);
    ping(w, `${running},${reported},,%20`);
    w.until(60_000);
    expect(asked.status).toBe(204);
  });

  test('reaches a worker whose job was given to another one while it was silent', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    w.until(40_000);
    take(w, 'w2');
    w.until(90_000);
    ping(w, id, 'w2');
    ping(w, id);
    expect(stop(w).text).toBe(`{"jobsToStop":["${id}"]}`);
    expect(done(w, 'w2', id, { output: 1 }).status).toBe(200);
  });
});

describe('a worker that dies hard', () => {
  const ask = (w: World, query: string) => w.send('GET', `demo/job-take/w1?gpu=local${query}`);
  const ping = (w: World, id: string) => w.send('GET', `demo/ping/w1?gpu=local&job_id=${id}`);
  /** Pings each ten seconds, as the process does that survives the worker. */
  const pingUntil = (w: World, id: string, from: number, to: number) => {
    for (let at = from; at < to; at += 10_000) {
      w.until(at);
      ping(w, id);
    }
    w.until(to);
  };

  test.each(['&job_in_progress=0', '&job_in_progress=0&runpod_version=1.12.0'])(
    'loses its job although its pings go on, once its successor says that it runs none (%s)',
    (query) => {
      const w = world(remote);
      const id = w.submit();
      take(w);
      pingUntil(w, id, 10_000, 55_000);
      ask(w, query);
      pingUntil(w, id, 60_000, 90_000);
      const asked = ask(w, query);
      expect(asked).toMatchObject({ status: 200 });
      expect(JSON.parse(asked.text ?? '')).toMatchObject({ id });
      expect(status(w, id)).toMatchObject({ retries: 1, status: 'IN_PROGRESS', workerId: 'w1' });
      // The pings count again for the new run.
      pingUntil(w, id, 100_000, 200_000);
      expect(done(w, 'w1', id, { output: 'second' }).status).toBe(200);
      expect(status(w, id)).toMatchObject({ output: 'second', status: 'COMPLETED' });
    },
  );

  test.each(['&job_in_progress=1', ''])('keeps its job where it does not say so (%j)', (query) => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    w.until(5_000);
    ask(w, query);
    pingUntil(w, id, 10_000, 200_000);
    expect(status(w, id)).toEqual({ delayTime: 0, id, status: 'IN_PROGRESS', workerId: 'w1' });
  });

  test('keeps its job if it posts for it after all', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    w.until(5_000);
    ask(w, '&job_in_progress=0');
    w.until(9_000);
    w.send('POST', `demo/job-stream/w1/${id}`, { output: 1 });
    pingUntil(w, id, 10_000, 200_000);
    expect(status(w, id)).not.toHaveProperty('retries');
  });
});

describe('a worker whose check at its start fails', () => {
  const fail = (w: World, reason = 'no memory') =>
    w.send(
      'GET',
      `demo/ping/w1?gpu=local&runpod_version=1.12.0&status=unhealthy&check=_memory_check&reason=${encodeURIComponent(reason)}`,
    );

  test('counts as unhealthy until it asks for work', () => {
    const w = world(remote);
    expect(fail(w).status).toBe(200);
    expect(health(w).workers).toMatchObject({ idle: 0, ready: 0, running: 0, unhealthy: 1 });
    expect(w.ask('GET', 'demo/metrics').readyWorkers).toEqual([]);
    take(w);
    expect(health(w).workers).toMatchObject({ idle: 1, unhealthy: 0 });
  });

  test('gives no sign of life by that', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    w.until(39_000);
    fail(w);
    w.until(40_000);
    expect(status(w, id)).toMatchObject({ status: 'IN_QUEUE' });
    expect(health(w).workers).toMatchObject({ running: 0, unhealthy: 1 });
    w.until(79_000);
    expect(health(w).workers).toMatchObject({ unhealthy: 0 });
  });

  test('is logged with its check and its reason, which is shortened', () => {
    const lines: unknown[] = [];
    const w = world({ ...remote, log: ({ jobId, workerId, parts }) => lines.push([jobId, workerId, ...parts]) });
    fail(w);
    fail(w, 'x'.repeat(300));
    expect(lines).toEqual([
      ['', 'w1', 'worker w1 is unhealthy: its check "_memory_check" failed: no memory'],
      ['', 'w1', `worker w1 is unhealthy: its check "_memory_check" failed: ${'x'.repeat(256)}`],
    ]);
  });
});

describe('posts for a job that has ended', () => {
  const post = (w: World, operation: string, id: string, body: unknown) =>
    w.send('POST', `demo/${operation}/w1/${id}?gpu=local&isStream=true`, body);

  test.each<[string, (w: World, id: string) => unknown]>([
    ['cancelled', (w, id) => w.send('POST', `demo/cancel/${id}`)],
    ['failed', (w) => w.until(700_000)],
    ['reported', (w, id) => done(w, 'w1', id, { output: 1 })],
  ])('(%s) are accepted, and change nothing', (_, end) => {
    const w = world({ endpoints: { demo: { lostAfter: 10_000_000 } } });
    const id = w.submit();
    take(w);
    end(w, id);
    const before = w.send('GET', `demo/status/${id}`).text;
    const progress = { status: 'IN_PROGRESS', output: 3 };
    const posts = [
      post(w, 'job-stream', id, { output: 2 }),
      post(w, 'job-done', id, progress),
      post(w, 'job-done', id, { output: 4 }),
      post(w, 'job-done', id, '{"output":NaN}'),
    ];
    expect(posts.map((seen) => seen.status)).toEqual([200, 200, 200, 200]);
    expect(w.send('GET', `demo/status/${id}`).text).toBe(before);
    expect(w.ask('GET', `demo/stream/${id}`).stream).toEqual([]);
  });
});

describe('numbers that JavaScript would change', () => {
  const odd = '{"id":9007199254740993,"scale":1.0,"e":[1E5,-0,1.50],"text":"1.0 { , \\" \\\\"}';

  test('reach the worker as they were submitted, and the client as they were posted', () => {
    const w = world(remote);
    const { text } = w.send('POST', 'demo/run', `{ "input" : ${odd} }`);
    const { id } = JSON.parse(text ?? '') as { id: string };
    expect(take(w).text).toBe(`{"id":"${id}","input":${odd}}`);
    done(w, 'w1', id, `{"status": "IN_PROGRESS", "output": ${odd}}`);
    expect(w.send('GET', `demo/status/${id}`).text).toContain(`"output":${odd},`);
    w.send('POST', `demo/job-stream/w1/${id}`, `{"output": ${odd}}`);
    w.send('POST', `demo/job-stream/w1/${id}`, '{"output": 1.0}');
    expect(w.send('GET', `demo/stream/${id}`).text).toBe(
      `{"status":"IN_PROGRESS","stream":[{"output":${odd}},{"output":1.0}]}`,
    );
    done(w, 'w1', id, `{"output": [${odd}, 12345678901234567890]}`);
    const sent = `"output":[${odd},12345678901234567890],`;
    expect(w.send('GET', `demo/status/${id}`).text).toContain(sent);
    expect(w.send('GET', `demo/status-sync/${id}`).text).toContain(sent);
    expect(w.emulator.jobs()[0]).toMatchObject({ input: { scale: 1 }, output: [{ scale: 1 }, 12345678901234567000] });
  });

  test('reach webhooks and conditions of faults', () => {
    const bodies: string[] = [];
    const seen: unknown[] = [];
    const w = world({
      ...remote,
      webhooks: { send: ({ body }) => (bodies.push(body), of(200)) },
      faults: [{ fault: 'no-output', when: ({ input }) => seen.push(input) < 0 }],
    });
    const webhook = 'http://127.0.0.1:1/';
    const { text } = w.send('POST', 'demo/run', `{"webhook":"${webhook}","input":{"seed":9007199254740993}}`);
    take(w);
    done(w, 'w1', (JSON.parse(text ?? '') as { id: string }).id, '{"output":{"cost":0.10}}');
    w.until(0);
    expect(bodies).toEqual([
      expect.stringMatching(/"input":{"seed":9007199254740993},"output":{"cost":0\.10},"status":"COMPLETED"/),
    ]);
    expect(seen).toEqual([{ seed: 9007199254740992 }]);
  });

  test('fail a job by a number that is not zero', () => {
    const w = world(remote);
    const [good, bad] = [w.submit(), w.submit()];
    take(w);
    take(w);
    done(w, 'w1', good, '{"output":1,"error":0.0}');
    done(w, 'w1', bad, '{"error":1.0}');
    expect(status(w, good).status).toBe('COMPLETED');
    expect(w.send('GET', `demo/status/${bad}`).text).toContain('"error":1.0,');
  });
});

describe('a worker that falls silent', () => {
  test('loses its job to another worker; after the second loss the job fails', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    w.until(39_999);
    const asked = take(w, 'w2');
    expect(status(w, id)).toMatchObject({ status: 'IN_PROGRESS', workerId: 'w1' });
    w.until(40_000);
    expect(asked).toMatchObject({ at: 40_000, status: 200 });
    expect(status(w, id)).toEqual({ delayTime: 40_000, id, retries: 1, status: 'IN_PROGRESS', workerId: 'w2' });
    expect(done(w, 'w1', id, { output: 'too late' }).status).toBe(404);
    w.until(80_000);
    expect(status(w, id)).toEqual({
      delayTime: 40_000,
      error: 'job timed out after 1 retries',
      executionTime: 40_000,
      id,
      retries: 1,
      status: 'FAILED',
      workerId: 'w2',
    });
    expect(health(w)).toMatchObject({ jobs: { failed: 1, retried: 1 }, workers: { idle: 0, running: 0 } });
  });

  test.each([
    [
      'its pings',
      (w: World, id: string) => w.send('GET', `demo/ping/w1?gpu=local&job_id=other,${id}&runpod_version=1.8.2`),
    ],
    ['its progress', (w: World, id: string) => done(w, 'w1', id, { status: 'IN_PROGRESS', output: 1 })],
    ['its chunks', (w: World, id: string) => w.send('POST', `demo/job-stream/w1/${id}`, { output: 1 })],
  ])('%s count as signs of life', (_, sign) => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    for (const at of [30_000, 60_000, 90_000]) {
      w.until(at);
      expect(sign(w, id).status).toBe(200);
    }
    w.until(129_999);
    expect(status(w, id)).toMatchObject({ status: 'IN_PROGRESS', workerId: 'w1' });
    w.until(130_000);
    expect(status(w, id).status).toBe('IN_QUEUE');
  });

  test('loses a job that its pings do not name, as after a restart of the worker', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    for (let at = 10_000; at < 40_000; at += 10_000) {
      w.until(at);
      w.send('GET', 'demo/ping/w1?gpu=local&runpod_version=1.8.2');
    }
    w.until(40_000);
    expect(take(w)).toMatchObject({ status: 200 });
    expect(status(w, id)).toMatchObject({ retries: 1, status: 'IN_PROGRESS' });
  });

  test('gets no stop signal for a job that it was given again', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    w.until(40_000);
    expect(take(w)).toMatchObject({ status: 200 });
    const asked = w.send('GET', 'demo/job-stop/w1');
    w.until(50_000);
    expect(asked.status).toBe(204);
    expect(done(w, 'w1', id, { output: 1 }).status).toBe(200);
  });

  test('a worker whose request for a job is held does not count as silent', () => {
    const w = world({ endpoints: { demo: { lostAfter: 5_000 } } });
    take(w);
    w.until(8_000);
    expect(health(w)).toMatchObject({ workers: { idle: 1 } });
    const id = w.submit();
    w.until(8_000);
    expect(done(w, 'w1', id, { output: 1 }).status).toBe(200);
  });

  test('is no longer counted', () => {
    const w = world(remote);
    take(w);
    expect(health(w)).toMatchObject({ workers: { idle: 1, ready: 1 } });
    w.until(49_999);
    expect(health(w)).toMatchObject({ workers: { idle: 1 } });
    w.until(50_000);
    expect(health(w)).toMatchObject({ workers: { idle: 0 } });
  });
});

describe('the fault lost-worker', () => {
  const lossy = (rule: object) => world({ ...remote, faults: [{ fault: 'lost-worker', ...rule }] });

  test('takes the job from its worker, which gets a stop signal; the platform runs the job again', () => {
    const w = lossy({ times: 1, after: 300 });
    const id = w.submit();
    take(w);
    const stopped = w.send('GET', 'demo/job-stop/w1');
    w.until(299);
    expect(w.send('POST', `demo/job-stream/w1/${id}`, { output: 1 }).status).toBe(200);
    w.until(300);
    expect(stopped).toMatchObject({ at: 300, text: `{"jobsToStop":["${id}"]}` });
    // Later posts of the worker for the job are refused.
    expect(done(w, 'w1', id, { output: 'too late' }).status).toBe(404);
    w.send('GET', `demo/ping/w1?job_id=${id}`);
    expect(health(w)).toMatchObject({ jobs: { inProgress: 1 }, workers: { idle: 1, running: 0 } });
    expect(status(w, id).status).toBe('IN_PROGRESS');
    w.until(40_298);
    expect(status(w, id)).not.toHaveProperty('retries');
    const again = take(w, 'w2');
    w.until(40_299);
    expect(again).toMatchObject({ status: 200, at: 40_299 });
    expect(done(w, 'w2', id, { output: 'done' }).status).toBe(200);
    expect(status(w, id)).toMatchObject({ output: 'done', retries: 1, status: 'COMPLETED', workerId: 'w2' });
    expect(w.emulator.jobs()[0]?.runs.map(({ outcome }) => outcome)).toEqual(['lost', 'reported']);
  });

  test('always: the job fails, and a worker that takes it twice gets a stop signal each time', () => {
    const w = lossy({});
    const id = w.submit();
    for (const at of [40_000, 80_000]) {
      expect(take(w)).toMatchObject({ status: 200 });
      const stopped = w.send('GET', 'demo/job-stop/w1');
      w.until(at - 30_000);
      expect(stopped.text).toBe(`{"jobsToStop":["${id}"]}`);
      w.until(at);
    }
    expect(status(w, id)).toMatchObject({ error: 'job timed out after 1 retries', retries: 1, status: 'FAILED' });
    const asked = w.send('GET', 'demo/job-stop/w1');
    w.until(100_000);
    expect(asked.status).toBe(204);
  });

  test('does not strike a run that is over', () => {
    const w = lossy({ after: 300 });
    const id = w.submit();
    take(w);
    w.until(200);
    done(w, 'w1', id, { output: 1 });
    w.until(100_000);
    expect(status(w, id)).toMatchObject({ output: 1, status: 'COMPLETED' });
  });

  test('can be added while the emulator runs', () => {
    const w = world(remote);
    const remove = w.emulator.inject({ fault: 'lost-worker' });
    const [lost, kept] = [w.submit(), w.submit()];
    take(w);
    remove();
    take(w);
    w.until(0);
    expect(done(w, 'w1', lost, { output: 1 }).status).toBe(404);
    expect(done(w, 'w1', kept, { output: 1 }).status).toBe(200);
  });
});

describe('a fault of all workers of an endpoint', () => {
  test.each([
    ['no-workers', { throttled: 0, unhealthy: 0 }],
    ['throttled-workers', { throttled: 2, unhealthy: 0 }],
    ['unhealthy-workers', { throttled: 0, unhealthy: 2 }],
  ] as const)('%s: workers of other processes get no jobs either, until the fault is removed', (fault, counts) => {
    const w = world({ endpoints: { demo: {}, other: {} } });
    const busy = w.submit();
    take(w, 'w1');
    const asked = take(w, 'w2');
    w.send('GET', 'demo/ping/w3');
    const remove = w.emulator.inject({ fault, endpoint: 'demo' });
    const id = w.submit();
    w.until(500);
    expect(asked.at).toBeUndefined();
    expect(status(w, id).status).toBe('IN_QUEUE');
    expect(health(w).workers).toEqual({ idle: 0, initializing: 0, ready: 0, running: 1, ...counts });
    expect(w.ask('GET', 'demo/metrics').readyWorkers).toEqual(['w1']);
    // A running job goes on.
    expect(done(w, 'w1', busy, { output: 1 }).status).toBe(200);
    remove();
    w.until(500);
    expect(asked).toMatchObject({ status: 200, at: 500 });
    expect(health(w).workers).toEqual({ idle: 2, initializing: 0, ready: 2, running: 1, throttled: 0, unhealthy: 0 });
  });

  test('with `workers`, affects only workers of this process', () => {
    const w = world(remote);
    w.emulator.inject({ fault: 'throttled-workers', workers: 1 });
    w.submit();
    expect(take(w).status).toBe(200);
  });
});

describe('faults of the requests of workers', () => {
  const faulty = (rule: FaultRule) => world({ ...remote, faults: [rule] });

  test('a lost answer with a job: the job runs again after `lostAfter`', () => {
    const w = faulty({ fault: 'reset-after', on: 'job-take', nth: 1 });
    const id = w.submit();
    expect(take(w)).toMatchObject({ error: { code: 'ECONNRESET' } });
    expect(status(w, id).status).toBe('IN_PROGRESS');
    w.until(40_000);
    expect(JSON.parse(take(w).text ?? '')).toMatchObject({ id });
    expect(status(w, id)).toMatchObject({ retries: 1, status: 'IN_PROGRESS' });
  });

  test('a connection that breaks before the request takes effect: no job was taken', () => {
    const w = faulty({ fault: 'reset-before', on: ['job-take', 'job-take-batch'], times: 1 });
    const id = w.submit();
    expect(take(w)).toMatchObject({ error: { code: 'ECONNRESET' } });
    expect(status(w, id).status).toBe('IN_QUEUE');
    expect(take(w).status).toBe(200);
  });

  test('a result whose answer is lost is posted again, and counts once', () => {
    const w = faulty({ fault: 'reset-after', on: 'job-done', nth: 1 });
    const id = w.submit();
    take(w);
    expect(done(w, 'w1', id, { output: 1 })).toMatchObject({ error: { code: 'ECONNRESET' } });
    expect(done(w, 'w1', id, { output: 1 }).status).toBe(200);
    expect(health(w)).toMatchObject({ jobs: { completed: 1 } });
  });

  test('a refused result has no effect: the worker posts it again, or the job is lost', () => {
    const w = faulty({ fault: 'empty-502', on: 'job-done', nth: [1, 2] });
    const id = w.submit();
    take(w);
    expect(done(w, 'w1', id, { output: 1 }).status).toBe(502);
    expect(done(w, 'w1', id, { output: 1 }).status).toBe(502);
    expect(status(w, id).status).toBe('IN_PROGRESS');
    expect(done(w, 'w1', id, { output: 1 }).status).toBe(200);
    expect(status(w, id)).toMatchObject({ output: 1, status: 'COMPLETED' });
  });

  test('lost pings: the job is lost although its worker lives', () => {
    const w = faulty({ fault: 'empty-429', on: 'ping' });
    const id = w.submit();
    take(w);
    for (let at = 10_000; at < 50_000; at += 10_000) {
      w.until(at);
      expect(w.send('GET', `demo/ping/w1?job_id=${id}`).status).toBe(429);
    }
    w.until(40_000);
    expect(status(w, id)).toMatchObject({ retries: 1, status: 'IN_QUEUE' });
  });

  test('latency: the request of the worker arrives late', () => {
    const w = faulty({ fault: 'latency', on: 'job-done', after: 700 });
    const id = w.submit();
    take(w);
    const posted = done(w, 'w1', id, { output: 1 });
    w.until(699);
    expect(status(w, id).status).toBe('IN_PROGRESS');
    w.until(700);
    expect(posted.status).toBe(200);
    expect(status(w, id)).toMatchObject({ executionTime: 700, status: 'COMPLETED' });
  });

  test.each(['job-take', 'job-take-batch', 'job-stop', 'ping'])('strike %s', (operation) => {
    const w = faulty({ fault: 'answer', status: 503, on: operation });
    expect(w.send('GET', `demo/${operation}/w1`).status).toBe(503);
  });

  test.each(['job-done', 'job-stream'])('strike %s', (operation) => {
    const w = faulty({ fault: 'answer', status: 503, on: operation });
    const id = w.submit();
    take(w);
    expect(w.send('POST', `demo/${operation}/w1/${id}`, { output: 1 }).status).toBe(503);
    expect(status(w, id).status).toBe('IN_PROGRESS');
  });
});

test('stopPod gives the worker no job for as long as a new worker takes to start', () => {
  const w = world({ endpoints: { demo: { coldStart: 3_000 } } });
  const id = w.submit();
  take(w);
  w.until(1_000);
  done(w, 'w1', id, { output: 1, stopPod: true });
  w.submit();
  const asked = take(w);
  w.until(3_999);
  expect(asked.at).toBeUndefined();
  expect(health(w)).toMatchObject({ workers: { idle: 0, initializing: 1 } });
  w.until(4_000);
  expect(asked).toMatchObject({ status: 200, at: 4_000 });
});

describe('the routes of workers', () => {
  test('require a worker id', () => {
    const w = world(remote);
    for (const id of ['a.b', '%20', 'a%2Fb', 'x'.repeat(129)]) {
      expect(w.send('GET', `demo/job-take/${id}`)).toMatchObject({ status: 400 });
      expect(w.send('GET', `demo/ping/${id}`)).toMatchObject({ status: 400 });
    }
    expect(w.send('GET', 'demo/ping')).toMatchObject({ status: 400, text: '{"error":"not allowed for QB API"}' });
  });

  test('require the key, without `Bearer`, as the worker sends it', () => {
    const w = world({ ...remote, keys: ['worker-key'] });
    const ping = (authorization: string) => w.send('GET', 'demo/ping/w1', undefined, { authorization }).status;
    expect(ping('worker-key')).toBe(200);
    expect(ping('other')).toBe(401);
  });

  test('are not struck by faults that do not name them', () => {
    const w = world({ ...remote, faults: [{ fault: 'empty-502' }, { fault: 'empty-429', on: 'job-stop' }] });
    expect(w.send('GET', 'demo/ping/w1').status).toBe(200);
    expect(w.send('GET', 'demo/job-stop/w1').status).toBe(429);
  });

  test('are recorded with the job', () => {
    const w = world(remote);
    const id = w.submit();
    take(w);
    done(w, 'w1', id, { output: 1 });
    expect(w.emulator.requests().slice(-2)).toMatchObject([
      { operation: 'job-take', status: 200 },
      { operation: 'job-done', jobId: id, status: 200 },
    ]);
    expect(w.emulator.requests()[1]).not.toHaveProperty('jobId');
  });
});
