import { concatMap, map, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { EmulatedEndpoint } from 'runpod-rx/testing';
import { UUID, world } from './world.js';

const echo: EmulatedEndpoint = {
  handler: ({ input }, { delay }) => delay(1_000).pipe(map(() => ({ echo: input }))),
};
const failing: EmulatedEndpoint = { handler: () => ({ error: 'no' }) };

describe('run', () => {
  test('answers with an id before any handler runs', () => {
    let ran = 0;
    const { send, until } = world({ endpoints: { demo: { handler: () => (ran += 1) } } });
    const { status, text, headers } = send('POST', 'demo/run', { input: { a: 1 } });
    expect(status).toBe(200);
    expect(headers).toEqual({ 'content-type': 'application/json' });
    expect(text).toMatch(new RegExp(`^{"id":"${UUID}-u1","status":"IN_QUEUE"}$`));
    expect(ran).toBe(0);
    until(0);
    expect(ran).toBe(1);
  });

  test('a job passes through its states', () => {
    const { ask, submit, until } = world({ endpoints: { demo: { ...echo, coldStart: 500 } } });
    const id = submit();
    expect(ask('GET', `demo/status/${id}`)).toEqual({ id, status: 'IN_QUEUE' });
    until(499);
    expect(ask('GET', `demo/status/${id}`).status).toBe('IN_QUEUE');
    until(500);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ delayTime: 500, status: 'IN_PROGRESS' });
    until(1_500);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({
      delayTime: 500,
      executionTime: 1_000,
      output: { echo: { x: 1 } },
      status: 'COMPLETED',
    });
  });

  test('the seed decides the ids, and each endpoint has its own', () => {
    const options = { endpoints: { demo: echo, other: echo }, seed: 'a' };
    const [one, two] = [world(options), world(options)];
    const first = one.submit();
    expect(two.submit()).toBe(first);
    expect(two.submit()).not.toBe(first);
    expect(one.ask('POST', 'other/run', { input: { x: 1 } }).id).not.toBe(first);
    expect(world({ ...options, seed: 'b' }).submit()).not.toBe(first);
  });

  test.each([
    ['an array as input', { input: [1] }, 'input: must be an object'],
    ['a scalar as input', { input: 'x' }, 'input: must be an object'],
    ['an array as body', [], 'body: must be an object'],
    ['no JSON', '{"input":', 'body: invalid json'],
    ['no body', '', 'body: invalid json'],
    ['null as body', 'null', 'body: must be an object'],
    ['a webhook that is no text', { input: {}, webhook: 1 }, 'webhook: must be a string'],
    ['a policy that is no object', { input: {}, policy: 1 }, 'policy: must be an object'],
    ['a short ttl', { input: {}, policy: { ttl: 9_999 } }, 'policy.ttl: must be between 10000 and 604800000'],
    [
      'a short executionTimeout',
      { input: {}, policy: { executionTimeout: 4_999 } },
      'policy.executionTimeout: must be between 5000 and 604800000',
    ],
  ])('refuses %s', (_, body, reason) => {
    const { send, emulator } = world({ endpoints: { demo: echo } });
    for (const operation of ['run', 'runsync']) {
      const { status, text } = send('POST', `demo/${operation}`, body);
      expect([status, text]).toEqual([400, JSON.stringify({ error: `bad request: ${reason}` })]);
    }
    expect(emulator.jobs()).toEqual([]);
  });

  test.each([
    ['absent', {}],
    ['null', { input: null }],
    ['empty', { input: {} }],
  ])('accepts an input that is %s; the worker never reports it, and one more attempt is as vain', (_, body) => {
    const { ask, until } = world({ endpoints: { demo: { handler: () => 'never called' } } });
    const id = String(ask('POST', 'demo/run', body).id);
    until(39_999);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ delayTime: 0, status: 'IN_PROGRESS' });
    until(40_000);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ delayTime: 40_000, retries: 1, status: 'IN_PROGRESS' });
    until(80_000);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({
      error: 'job timed out after 1 retries',
      executionTime: 40_000,
      retries: 1,
      status: 'FAILED',
    });
  });

  test('measures bodies in bytes of UTF-8', () => {
    const { send } = world({ endpoints: { demo: echo } });
    const body = (bytes: number, letter: string) => {
      const frame = JSON.stringify({ input: { x: '' } }).length;
      const size = new TextEncoder().encode(letter).length;
      return JSON.stringify({ input: { x: letter.repeat(Math.floor((bytes - frame) / size)) } });
    };
    const MIB = 1024 * 1024;
    expect(send('POST', 'demo/run', body(10 * MIB, 'x')).status).toBe(200);
    expect(send('POST', 'demo/run', body(10 * MIB, 'é')).status).toBe(200);
    const refused = '{"error":"bad request: body: exceeded max body size of 10MiB"}';
    expect(send('POST', 'demo/run', body(10 * MIB + 1, 'x'))).toMatchObject({ status: 400, text: refused });
    expect(send('POST', 'demo/run', body(10 * MIB + 4, 'é'))).toMatchObject({ status: 400, text: refused });
    send('POST', 'demo/runsync', body(10 * MIB + 1, 'x')).subscription.unsubscribe();
    expect(send('POST', 'demo/runsync', body(20 * MIB + 1, 'x'))).toMatchObject({
      status: 400,
      text: '{"error":"bad request: body: exceeded max body size of 20MiB"}',
    });
  });

  test('passes the submitted members to the handler, and no others', () => {
    const jobs: unknown[] = [];
    const { ask, until } = world({ endpoints: { demo: { handler: (job) => void jobs.push(job) } } });
    const s3Config = { accessId: 'a', accessSecret: 'b', bucketName: 'c', endpointUrl: 'd' };
    const policy = { executionTimeout: 5_000, ttl: 10_000, lowPriority: false };
    const webhook = 'https://example.com/hook';
    const { id } = ask('POST', 'demo/run', { input: { x: 1 }, webhook, policy, s3Config, extra: 1 });
    until(0);
    expect(jobs).toEqual([
      { id, input: { x: 1 }, webhook, policy: { executionTimeout: 5_000, ttl: 10_000 }, s3Config },
    ]);
  });
});

describe('runsync', () => {
  test('is held until the job is over', () => {
    const { send, until } = world({ endpoints: { demo: echo } });
    const seen = send('POST', 'demo/runsync', { input: { x: 1 } });
    until(999);
    expect(seen.status).toBeUndefined();
    until(1_000);
    expect(seen.at).toBe(1_000);
    expect(seen.text).toMatch(
      new RegExp(
        `^{"delayTime":0,"executionTime":1000,"id":"sync-${UUID}-u1","output":{"echo":{"x":1}},"status":"COMPLETED","workerId":"[a-z0-9]{14}"}$`,
      ),
    );
  });

  test.each([
    ['', 90_000],
    ['?wait=2000', 2_000],
    ['?wait=1', 1_000],
    ['?wait=999999', 300_000],
    ['?wait=x', 90_000],
  ])('%s waits so long, then says how far it is', (query, wait) => {
    const { send, until } = world({ endpoints: { demo: { handler: (_, { delay }) => delay(400_000) } } });
    const seen = send('POST', `demo/runsync${query}`, { input: { x: 1 } });
    until(wait - 1);
    expect(seen.status).toBeUndefined();
    until(wait);
    expect(seen.text).toMatch(new RegExp(`^{"id":"sync-${UUID}-u1","status":"IN_PROGRESS"}$`));
  });

  test('a wait out of range is refused with the variant `reject`', () => {
    const { send } = world({ endpoints: { demo: echo }, variants: { wait: 'reject' } });
    expect(send('POST', 'demo/runsync?wait=999', { input: { x: 1 } }).status).toBe(400);
    expect(send('GET', 'demo/stream/x?wait=300001').status).toBe(400);
    expect(send('GET', 'demo/status-sync/x?wait=0').status).toBe(400);
  });

  test('the job goes on when the client goes away', () => {
    const { send, until, emulator } = world({ endpoints: { demo: echo } });
    const seen = send('POST', 'demo/runsync', { input: { x: 1 } });
    until(10);
    seen.subscription.unsubscribe();
    until(1_000);
    expect(emulator.jobs()).toMatchObject([{ operation: 'runsync', end: 'completed' }]);
    expect(emulator.requests()).toMatchObject([{ aborted: true, jobId: emulator.jobs()[0]?.id }]);
  });

  test('of a failed job is answered with 200', () => {
    const { send, until } = world({ endpoints: { demo: failing } });
    const seen = send('POST', 'demo/runsync', { input: { x: 1 } });
    until(0);
    expect(seen).toMatchObject({ status: 200, text: expect.stringContaining('"error":"no"') });
  });
});

describe('reading', () => {
  test('status-sync is held until the job has ended', () => {
    const { send, submit, until } = world({ endpoints: { demo: echo } });
    const id = submit();
    const short = send('GET', `demo/status-sync/${id}?wait=1000`);
    until(10);
    const long = send('POST', `demo/status-sync/${id}`);
    until(999);
    expect([short.status, long.status]).toEqual([undefined, undefined]);
    until(1_000);
    expect(long.text).toContain('COMPLETED');
    expect(send('GET', `demo/status-sync/${id}`).text).toContain('COMPLETED');
  });

  test('status-sync shows the unfinished job when its wait is over', () => {
    const { send, submit, until } = world({ endpoints: { demo: { handler: (_, { delay }) => delay(5_000) } } });
    const seen = send('GET', `demo/status-sync/${submit()}?wait=2000`);
    until(2_000);
    expect(seen.text).toMatch(/^{"delayTime":0,"id":".*","status":"IN_PROGRESS","workerId":".*"}$/);
  });

  test('results of run are kept for 30 minutes, of runsync for one', () => {
    const { send, submit, until, emulator } = world({ endpoints: { demo: { handler: () => 1 } } });
    const id = submit();
    send('POST', 'demo/runsync', { input: { x: 1 } });
    until(0);
    const sync = emulator.jobs()[1]!.id;
    until(59_999);
    expect(send('GET', `demo/status/${sync}`).status).toBe(200);
    until(60_000);
    expect(send('GET', `demo/status/${sync}`)).toMatchObject({ status: 404, text: '{"error":"job not found"}' });
    until(1_799_999);
    expect(send('GET', `demo/status/${id}`).status).toBe(200);
    until(1_800_000);
    for (const operation of ['status', 'status-sync', 'stream']) {
      expect(send('GET', `demo/${operation}/${id}`).status).toBe(404);
    }
    expect(send('POST', `demo/cancel/${id}`).status).toBe(404);
    expect(send('POST', `demo/retry/${id}`).status).toBe(404);
    expect(emulator.jobs()).toMatchObject([
      { id, end: 'completed' },
      { id: sync, end: 'completed' },
    ]);
  });

  test('status?ttl sets how long results are kept', () => {
    const { send, submit, until } = world({ endpoints: { demo: { handler: () => 1 } } });
    const id = submit();
    until(0);
    send('GET', `demo/status/${id}?ttl=5000`);
    until(4_999);
    expect(send('GET', `demo/status/${id}`).status).toBe(200);
    until(5_000);
    expect(send('GET', `demo/status/${id}`).status).toBe(404);
  });

  test('output holds the latest progress, executionTime the time it was posted', () => {
    const { ask, submit, until } = world({
      endpoints: {
        demo: {
          handler: (_, { delay, progress }) => {
            progress('one');
            return delay(300).pipe(
              concatMap(() => {
                progress({ step: 2 });
                return delay(700);
              }),
              map(() => 'done'),
            );
          },
        },
      },
    });
    const id = submit();
    until(0);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ output: 'one', executionTime: 0, status: 'IN_PROGRESS' });
    until(500);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ output: { step: 2 }, executionTime: 300 });
    until(1_000);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ output: 'done', status: 'COMPLETED' });
  });
});

describe('cancel', () => {
  test('a waiting job never runs', () => {
    let ran = 0;
    const { send, submit, until, emulator } = world({
      endpoints: { demo: { handler: () => (ran += 1), coldStart: 100 } },
    });
    const id = submit();
    expect(send('POST', `demo/cancel/${id}`, {})).toMatchObject({
      status: 200,
      text: `{"id":"${id}","status":"CANCELLED"}`,
    });
    until(10_000);
    expect(ran).toBe(0);
    expect(send('GET', `demo/status/${id}`).text).toBe(`{"id":"${id}","status":"CANCELLED"}`);
    expect(emulator.jobs()).toMatchObject([{ end: 'cancelled', executionMs: 0, runs: [], cancelRequests: 1 }]);
  });

  test('a running job stops: it is unsubscribed, aborted, and billed until then', () => {
    const log: string[] = [];
    const { send, submit, until, emulator } = world({
      endpoints: {
        demo: {
          handler: (_, { delay, signal }) => {
            signal.addEventListener('abort', () => log.push('aborted'));
            return delay(60_000).pipe(map(() => log.push('ended')));
          },
        },
      },
    });
    const id = submit();
    until(700);
    send('POST', `demo/cancel/${id}`);
    expect(log).toEqual(['aborted']);
    until(100_000);
    expect(log).toEqual(['aborted']);
    expect(emulator.jobs()).toMatchObject([
      { status: 'CANCELLED', executionMs: 700, runs: [{ startedAt: 0, endedAt: 700, outcome: 'cancelled' }] },
    ]);
  });

  test('an ended handler is not aborted', () => {
    let aborted = false;
    const { submit, until, emulator } = world({
      endpoints: {
        demo: {
          handler: (_, { signal }) => {
            signal.addEventListener('abort', () => (aborted = true));
            return 'done';
          },
        },
      },
    });
    submit();
    until(1);
    emulator.close();
    expect(aborted).toBe(false);
  });

  test('of an ended job answers with its status, or 404', () => {
    const play = (cancelEnded?: 'not-found') => {
      const { send, submit, until, emulator } = world({
        endpoints: { demo: { handler: () => 1 } },
        ...(cancelEnded && { variants: { cancelEnded } }),
      });
      const id = submit();
      until(0);
      const seen = send('POST', `demo/cancel/${id}`);
      expect(emulator.jobs()).toMatchObject([{ end: 'completed', cancelRequests: 1 }]);
      return seen;
    };
    expect(play()).toMatchObject({ status: 200, text: expect.stringContaining('"status":"COMPLETED"') });
    expect(play('not-found').status).toBe(404);
  });

  test('a cancelled job can show its times', () => {
    const { ask, submit, until } = world({ endpoints: { demo: echo }, variants: { cancelled: 'full' } });
    const id = submit();
    until(300);
    ask('POST', `demo/cancel/${id}`);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ delayTime: 0, executionTime: 300, status: 'CANCELLED' });
  });
});

describe('retry', () => {
  test('runs a failed job again under the same id, without its old output', () => {
    const { ask, send, submit, until, emulator } = world({
      endpoints: { demo: { handler: (_, { attempt }) => (attempt === 1 ? { error: 'no', more: 1 } : 'yes') } },
    });
    const id = submit();
    until(100);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ error: 'no', output: { more: 1 }, status: 'FAILED' });
    expect(send('POST', `demo/retry/${id}`)).toMatchObject({ status: 200, text: `{"id":"${id}","status":"IN_QUEUE"}` });
    expect(ask('GET', `demo/status/${id}`)).toEqual({ id, status: 'IN_QUEUE' });
    until(101);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ delayTime: 0, output: 'yes', status: 'COMPLETED' });
    expect(ask('GET', 'demo/health').jobs).toMatchObject({ completed: 1, failed: 1, retried: 1 });
    expect(emulator.jobs()).toMatchObject([{ renewals: 1, runs: [{}, {}], output: 'yes' }]);
  });

  test('makes old progress and chunks unreadable, and keeps them in the ledger', () => {
    const { ask, submit, until, emulator } = world({
      endpoints: {
        demo: {
          stream: true,
          handler: (_, { attempt, delay }) =>
            delay(100).pipe(concatMap(() => (attempt === 1 ? of('a', 'b', { error: 'no' }) : of('c')))),
        },
      },
    });
    const id = submit();
    until(100);
    ask('POST', `demo/retry/${id}`);
    until(150);
    expect(emulator.jobs()).toMatchObject([{ status: 'IN_PROGRESS', chunks: ['a', 'b'], chunksHandedOut: 0 }]);
    expect(emulator.jobs()[0]).not.toHaveProperty('error');
    until(200);
    expect(ask('GET', `demo/stream/${id}`)).toEqual({ status: 'COMPLETED', stream: [{ output: 'c' }] });
    expect(emulator.jobs()).toMatchObject([{ chunks: ['a', 'b', 'c'], chunksHandedOut: 1 }]);
  });

  test('resets the retries of the platform', () => {
    const { ask, submit, until } = world({ endpoints: { demo: { handler: () => 1, lostAfter: 1_000 } } });
    const id = submit({});
    until(2_000);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ status: 'FAILED', retries: 1 });
    ask('POST', `demo/retry/${id}`);
    until(2_500);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ status: 'IN_PROGRESS' });
    expect(ask('GET', `demo/status/${id}`)).not.toHaveProperty('retries');
    until(3_999);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ status: 'IN_PROGRESS', retries: 1 });
  });

  test('is refused for every other state', () => {
    const { send, submit, until } = world({ endpoints: { demo: echo } });
    const id = submit();
    const refused = { status: 400, text: '{"error":"job cannot be retried"}' };
    expect(send('POST', `demo/retry/${id}`)).toMatchObject(refused);
    until(10);
    expect(send('POST', `demo/retry/${id}`)).toMatchObject(refused);
    until(1_000);
    expect(send('POST', `demo/retry/${id}`)).toMatchObject(refused);
  });
});

describe('purge-queue', () => {
  test('removes waiting jobs; running jobs go on', () => {
    const { send, ask, submit, until, emulator } = world({ endpoints: { demo: { ...echo, workers: 1 } } });
    const running = submit();
    until(1);
    const waiting = submit();
    const held = send('POST', 'demo/runsync', { input: { x: 1 } });
    expect(send('POST', 'demo/purge-queue', {}).text).toBe('{"removed":2,"status":"completed"}');
    expect(send('GET', `demo/status/${waiting}`).status).toBe(404);
    until(1_000);
    expect(held.status).toBe(404);
    expect(ask('GET', `demo/status/${running}`).status).toBe('COMPLETED');
    expect(emulator.jobs().map(({ end }) => end)).toEqual(['completed', 'purged', 'purged']);
  });

  test('may leave the jobs readable as CANCELLED', () => {
    const { ask, submit } = world({ endpoints: { demo: echo }, variants: { purged: 'cancelled' } });
    const id = submit();
    ask('POST', 'demo/purge-queue');
    expect(ask('GET', `demo/status/${id}`)).toEqual({ id, status: 'CANCELLED' });
  });
});

describe('health', () => {
  test('counts jobs and workers', () => {
    const { send, submit, until } = world({ endpoints: { demo: { ...echo, workers: 2, coldStart: 500 } } });
    const counts = () => JSON.parse(send('GET', 'demo/health').text!);
    submit();
    submit();
    submit();
    until(1);
    expect(counts()).toMatchObject({ jobs: { inQueue: 3 }, workers: { initializing: 2, ready: 0 } });
    until(500);
    expect(counts()).toMatchObject({
      jobs: { inQueue: 1, inProgress: 2 },
      workers: { initializing: 0, running: 2, idle: 0 },
    });
    until(3_000);
    expect(send('GET', 'demo/health').text).toBe(
      '{"jobs":{"completed":3,"failed":0,"inProgress":0,"inQueue":0,"retried":0},"workers":{"idle":2,"initializing":0,"ready":2,"running":0,"throttled":0,"unhealthy":0}}',
    );
    until(7_500);
    expect(counts()).toMatchObject({ workers: { idle: 0, ready: 0 } });
  });
});

test('health stops counting a waiting job when its time to live is over', () => {
  const { ask, submit, until, emulator } = world({ endpoints: { demo: { ...echo, workers: 0 } } });
  for (const ttl of [30_000, 10_000, 20_000]) submit({ x: 1 }, { policy: { ttl } });
  const waiting = (): unknown => (ask('GET', 'demo/health').jobs as Record<string, number>).inQueue;
  const seen = [9_999, 10_000, 19_999, 20_000, 29_999, 30_000].map((at) => {
    until(at);
    return waiting();
  });
  expect(seen).toEqual([3, 2, 2, 1, 1, 0]);
  expect(emulator.jobs().map(({ end, endedAt }) => [end, endedAt])).toEqual([
    ['expired', 30_000],
    ['expired', 10_000],
    ['expired', 20_000],
  ]);
});

describe('requests', () => {
  test('lists the jobs that have not ended', () => {
    const { ask, submit } = world({ endpoints: { demo: echo } });
    const id = submit();
    expect(ask('GET', 'demo/requests')).toEqual({ requests: [{ id, status: 'IN_QUEUE' }] });
  });
});

describe('routing', () => {
  test.each([
    ['GET', 'nope/health', 404, '{"detail":"endpoint not found"}'],
    ['POST', 'demo/frobnicate', 400, '{"error":"not allowed for QB API"}'],
    ['GET', 'demo/ping', 400, '{"error":"not allowed for QB API"}'],
    ['GET', 'demo/status/unknown', 404, '{"error":"job not found"}'],
    ['GET', 'demo/status', 404, '{"error":"job not found"}'],
    ['POST', 'demo/cancel/unknown', 404, '{"error":"job not found"}'],
    ['POST', 'demo/retry/unknown', 404, '{"error":"job not found"}'],
    ['GET', 'demo/stream/unknown', 404, '{"error":"job not found"}'],
    ['GET', 'demo/run', 405, ''],
    ['GET', 'demo/cancel/x', 405, ''],
    ['POST', 'demo/health', 405, ''],
    ['GET', '', 404, ''],
  ] as const)('%s %s → %i', (method, path, status, text) => {
    const { send } = world({ endpoints: { demo: echo } });
    expect(send(method, path)).toMatchObject({ status, text });
  });

  test.each(['status', 'status-sync', 'stream'])('%s is read by POST too', (operation) => {
    const { send, submit, until } = world({ endpoints: { demo: { handler: () => 1 } } });
    const id = submit();
    until(0);
    expect(send('POST', `demo/${operation}/${id}`).status).toBe(200);
  });

  test('any base URL leads to an endpoint', () => {
    const { emulator } = world({ endpoints: { demo: echo, v2: echo } });
    const status = (url: string) => {
      let seen: number | undefined;
      emulator.handle({ method: 'GET', url, headers: {} }).subscribe((answer) => (seen = answer.status));
      return seen;
    };
    expect(status('https://api.runpod.ai/v2/demo/health')).toBe(200);
    expect(status('/v2/demo/health')).toBe(200);
    expect(status('/proxy/demo/health?tenant=1')).toBe(200);
    expect(status('http://localhost/api/v2/x/v2/demo/health')).toBe(200);
    expect(status('/v2/v2/health')).toBe(200);
  });

  test('refuses an endpoint id that no URL could hold', () => {
    expect(() => world({ endpoints: { 'a/b': echo } })).toThrow('"a/b" is no endpoint id');
  });
});

describe('keys', () => {
  const options = {
    endpoints: { demo: echo, other: echo },
    keys: ['secret-one', { key: 'secret-two', endpoints: ['other'] }],
  };
  test.each([
    [{}, 'demo', 401, '{"status":401,"title":"Unauthorized","detail":"no token provided"}'],
    [{ authorization: 'Bearer ' }, 'demo', 401, '{"status":401,"title":"Unauthorized","detail":"no token provided"}'],
    [{ authorization: 'Bearer x' }, 'demo', 401, '{"status":401,"title":"Unauthorized","detail":"invalid api key"}'],
    [{ authorization: 'Bearer secret-one' }, 'demo', 200, expect.any(String)],
    [{ authorization: 'secret-one' }, 'demo', 200, expect.any(String)],
    [{ authorization: 'bearer secret-two' }, 'other', 200, expect.any(String)],
    [{ authorization: 'Bearer secret-two' }, 'demo', 404, '{"detail":"endpoint not found"}'],
  ])('%j at %s → %i', (headers: Record<string, string>, endpoint, status, text) => {
    const { send } = world(options);
    expect(send('GET', `${endpoint}/health`, undefined, headers)).toMatchObject({ status, text });
  });

  test('never appear in the ledger', () => {
    const { send, emulator } = world(options);
    send('GET', 'demo/health?key=secret-one', undefined, { authorization: 'Bearer secret-one' });
    send('GET', 'demo/health?key=not-known', undefined, { authorization: 'Bearer not-known' });
    expect(JSON.stringify(emulator.requests())).not.toMatch(/secret-one|not-known/);
    expect(emulator.requests()).toMatchObject([{ auth: 'bearer', path: '/v2/demo/health?key=[key]' }, {}]);
  });
});
