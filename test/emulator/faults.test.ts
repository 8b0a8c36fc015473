import { interval, map, of, take } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { EmulatedEndpoint, FaultOptions, FaultRule } from 'runpod-rx/testing';
import { world } from './world.js';

const quick: EmulatedEndpoint = { handler: ({ input }) => ({ echo: input }) };
const slow: EmulatedEndpoint = { handler: ({ input }, { delay }) => delay(1_000).pipe(map(() => ({ echo: input }))) };

const withFaults = (faults: FaultOptions, demo: EmulatedEndpoint = quick, seed = 1) =>
  world({ endpoints: { demo, other: demo }, faults, seed, limits: false });

describe('a fault of a request', () => {
  const reset = { phase: 'sent', code: 'ECONNRESET' };
  test.each<[FaultRule, object, number]>([
    [{ fault: 'connection-refused' }, { error: { phase: 'connect', code: 'ECONNREFUSED' } }, 0],
    [{ fault: 'reset-before' }, { error: reset }, 0],
    [{ fault: 'reset-after' }, { error: reset }, 1],
    [{ fault: 'empty-502' }, { status: 502, text: '' }, 0],
    [{ fault: 'empty-502', accepted: true }, { status: 502, text: '' }, 1],
    [
      { fault: 'html-502' },
      { status: 502, headers: { 'content-type': 'text/html' }, text: expect.stringMatching(/^<html>/) },
      0,
    ],
    [{ fault: 'empty-429' }, { status: 429, headers: { 'content-type': 'text/plain' }, text: '' }, 0],
    [
      { fault: 'empty-429', retryAfter: 2 },
      { status: 429, headers: { 'content-type': 'text/plain', 'retry-after': '2' } },
      0,
    ],
    [{ fault: 'bare-error' }, { status: 200, text: '{"error":"internal error"}' }, 0],
    [{ fault: 'bare-error', message: 'x', accepted: true }, { status: 200, text: '{"error":"x"}' }, 1],
    [{ fault: 'answer' }, { status: 500, text: '' }, 0],
    [{ fault: 'answer', status: 418, body: { a: 1 } }, { status: 418, text: '{"a":1}' }, 0],
    [
      {
        fault: 'answer',
        status: 503,
        body: 'busy',
        headers: { 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' },
        accepted: true,
      },
      {
        status: 503,
        text: 'busy',
        headers: { 'content-type': 'text/plain', 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' },
      },
      1,
    ],
    [{ fault: 'truncated-answer' }, { status: 200, text: expect.stringMatching(/^{"id":"[^"]*$/) }, 1],
  ])('%j', (rule, answer, jobs) => {
    const { send, emulator } = withFaults([rule]);
    const seen = send('POST', 'demo/run', { input: { x: 1 } });
    expect(seen).toMatchObject(answer);
    expect(emulator.jobs()).toHaveLength(jobs);
    expect(emulator.requests()).toMatchObject([{ fault: rule.fault }]);
  });

  test('no-answer: the request takes effect, and no answer comes', () => {
    const { send, emulator, until } = withFaults([{ fault: 'no-answer', nth: 1 }]);
    const seen = send('POST', 'demo/run', { input: { x: 1 } });
    until(1e9);
    expect(seen).not.toHaveProperty('at');
    expect(emulator.jobs()).toHaveLength(1);
    seen.subscription.unsubscribe();
    expect(emulator.requests()).toMatchObject([{ aborted: true, jobId: emulator.jobs()[0]?.id }]);
  });

  test('slow-answer: the answer comes late', () => {
    const { send, until } = withFaults([{ fault: 'slow-answer', after: 7_000 }]);
    const seen = send('GET', 'demo/health');
    until(6_999);
    expect(seen.status).toBeUndefined();
    until(7_000);
    expect(seen.status).toBe(200);
  });

  test('slow-body: the in-process transport emits the whole answer at the end', () => {
    const { send, until } = withFaults([{ fault: 'slow-body', for: 900, nth: 2 }]);
    const text = send('GET', 'demo/health').text;
    const seen = send('GET', 'demo/health');
    until(899);
    expect(seen.status).toBeUndefined();
    until(900);
    expect(seen).toMatchObject({ status: 200, text });
  });

  test('latency: the request arrives late', () => {
    const { send, until, emulator } = withFaults([{ fault: 'latency', after: 300 }]);
    const seen = send('POST', 'demo/run', { input: { x: 1 } });
    until(299);
    expect([seen.status, emulator.jobs().length]).toEqual([undefined, 0]);
    until(300);
    expect([seen.status, emulator.jobs().length]).toEqual([200, 1]);
    expect(emulator.requests()).toMatchObject([{ fault: 'latency' }]);
  });

  test('latency: adds up to its jitter, decided by the seed; another fault strikes as well', () => {
    const times = (seed: number) => {
      const { send, until } = withFaults({ latency: { after: 100, jitter: 50 }, 'empty-502': 1 }, quick, seed);
      const seen = Array.from({ length: 30 }, () => send('GET', 'demo/health'));
      until(1_000);
      expect(seen.every(({ status }) => status === 502)).toBe(true);
      return seen.map(({ at = 0 }) => at);
    };
    const [one, same, other] = [1, 1, 2].map(times);
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
    expect(Math.min(...one!)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...one!)).toBeLessThan(150);
    expect(new Set(one).size).toBeGreaterThan(10);
  });

  test('the ledger records a network failure', () => {
    const { send, emulator } = withFaults({ 'reset-after': 1 });
    send('POST', 'demo/run', { input: { x: 1 } });
    const [request] = emulator.requests();
    expect(request).toMatchObject({ failure: 'ECONNRESET', fault: 'reset-after', jobId: emulator.jobs()[0]?.id });
    expect(request).not.toHaveProperty('status');
    expect(request).not.toHaveProperty('aborted');
  });

  test('dropped-stream: chunks are taken out of the stream, and lost', () => {
    const { send, submit, until, emulator } = withFaults([{ fault: 'dropped-stream', nth: 1 }], {
      handler: (_, { scheduler }) => interval(100, scheduler).pipe(take(3)),
      stream: true,
    });
    const id = submit();
    const seen = send('GET', `demo/stream/${id}`);
    until(100);
    expect(seen.error).toMatchObject({ phase: 'sent', code: 'ECONNRESET' });
    until(300);
    expect(send('GET', `demo/stream/${id}`).text).toBe('{"status":"COMPLETED","stream":[{"output":1},{"output":2}]}');
    expect(emulator.jobs()).toMatchObject([{ chunks: [0, 1, 2], chunksHandedOut: 3 }]);
    expect(emulator.requests().map(({ fault }) => fault)).toEqual([undefined, 'dropped-stream', undefined]);
  });

  test('dropped-stream leaves an answer without chunks alone', () => {
    const { send, submit, until, emulator } = withFaults({ 'dropped-stream': { nth: 1 } }, { ...quick, stream: true });
    const id = submit();
    until(0);
    expect(send('GET', `demo/stream/${id}`).text).toBe('{"status":"COMPLETED","stream":[]}');
    expect(emulator.requests().some(({ fault }) => fault !== undefined)).toBe(false);
  });
});

describe('a fault of a job', () => {
  test('transient-404: a submitted job is not found at first', () => {
    const { send, submit, until } = withFaults([{ fault: 'transient-404', for: 500, nth: 1 }]);
    const id = submit();
    const other = submit();
    for (const operation of ['status', 'status-sync', 'stream']) {
      expect(send('GET', `demo/${operation}/${id}`)).toMatchObject({ status: 404, text: '{"error":"job not found"}' });
    }
    expect(send('GET', `demo/status/${other}`).status).toBe(200);
    until(499);
    expect(send('GET', `demo/status/${id}`).status).toBe(404);
    until(500);
    expect(send('GET', `demo/status/${id}`).status).toBe(200);
  });

  test('lost-worker, once: the platform runs the job again, on another worker', () => {
    const { ask, submit, until, emulator } = withFaults([{ fault: 'lost-worker', times: 1, after: 300 }], slow);
    const id = submit();
    until(301);
    expect(ask('GET', 'demo/health').workers).toMatchObject({ running: 0, idle: 0 });
    until(39_000);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ delayTime: 0, status: 'IN_PROGRESS' });
    until(40_300);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ delayTime: 40_300, retries: 1, status: 'IN_PROGRESS' });
    until(41_300);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ executionTime: 1_000, retries: 1, status: 'COMPLETED' });
    const [{ runs } = { runs: [] }] = emulator.jobs();
    expect(runs).toMatchObject([
      { startedAt: 0, endedAt: 40_300, outcome: 'lost' },
      { startedAt: 40_300, endedAt: 41_300, outcome: 'reported' },
    ]);
    expect(runs[0]?.workerId).not.toBe(runs[1]?.workerId);
    expect(ask('GET', 'demo/health').jobs).toMatchObject({ retried: 1, completed: 1, failed: 0 });
  });

  test('lost-worker: the job loses the values of its first run, and is put before the waiting jobs', () => {
    const { ask, submit, until, emulator } = withFaults([{ fault: 'lost-worker', nth: 1, after: 10 }], {
      handler: (_, { attempt, delay, progress }) => {
        if (attempt === 1) progress('first');
        return delay(50_000);
      },
      workers: 1,
    });
    const lost = submit();
    submit();
    submit();
    until(45_000);
    expect(ask('GET', `demo/status/${lost}`)).toEqual({ id: lost, retries: 1, status: 'IN_QUEUE' });
    until(60_000);
    expect(ask('GET', `demo/status/${lost}`)).toMatchObject({ retries: 1, status: 'IN_PROGRESS' });
    expect(ask('GET', `demo/status/${lost}`)).not.toHaveProperty('output');
    expect(emulator.jobs().map(({ runs }) => runs.at(-1)?.startedAt)).toEqual([50_010, 10, undefined]);
  });

  test('lost-worker makes room for another worker at once', () => {
    const { submit, until, emulator } = withFaults([{ fault: 'lost-worker', nth: 1 }], { ...slow, workers: 1 });
    submit();
    until(0);
    submit();
    until(100);
    expect(emulator.jobs().map(({ runs }) => runs[0]?.startedAt)).toEqual([0, 0]);
  });

  test('lost-worker stops the handler, and ignores its later progress', () => {
    let aborted = 0;
    const { ask, submit, until } = withFaults([{ fault: 'lost-worker', after: 300 }], {
      handler: (_, { delay, signal, progress }) => {
        signal.addEventListener('abort', () => {
          aborted += 1;
          progress('too late');
        });
        return delay(1_000);
      },
    });
    const id = submit();
    until(2_000);
    expect(aborted).toBe(1);
    expect(ask('GET', `demo/status/${id}`)).not.toHaveProperty('output');
  });

  test('lost-worker, always: the job fails', () => {
    const { ask, submit, until } = withFaults({ 'lost-worker': 1 }, { ...slow, lostAfter: 1_000 });
    const id = submit();
    until(2_000);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ error: 'job timed out after 1 retries', status: 'FAILED' });
  });

  test('lost-worker does not strike after the end of the job', () => {
    const { ask, submit, until } = withFaults([{ fault: 'lost-worker', after: 5_000 }], slow);
    const id = submit();
    until(100_000);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ status: 'COMPLETED' });
  });

  test('json-error: the job fails as if its handler had thrown', () => {
    const { ask, submit, until } = withFaults({ 'json-error': { message: 'CUDA out of memory' } });
    const id = submit();
    until(0);
    const { status, error } = ask('GET', `demo/status/${id}`);
    expect([status, JSON.parse(String(error)).error_message]).toEqual(['FAILED', 'CUDA out of memory']);
  });

  test('no-output: the job completes without an output', () => {
    const { ask, submit, until } = withFaults({ 'no-output': 1 });
    const id = submit();
    until(0);
    expect(ask('GET', `demo/status/${id}`).status).toBe('COMPLETED');
    expect(ask('GET', `demo/status/${id}`)).not.toHaveProperty('output');
  });

  test('expired-result: soon after its end the job cannot be read', () => {
    const { send, submit, until, emulator } = withFaults([{ fault: 'expired-result', after: 500, nth: 1 }]);
    const [gone, kept] = [submit(), submit()];
    until(499);
    expect(send('GET', `demo/status/${gone}`).status).toBe(200);
    until(500);
    expect(send('GET', `demo/status/${gone}`)).toMatchObject({ status: 404, text: '{"error":"job not found"}' });
    expect(send('GET', `demo/status/${kept}`).status).toBe(200);
    expect(emulator.jobs().map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED']);
  });

  test('late-progress: answers show the job as running, the ledger as ended', () => {
    const { ask, send, submit, until, emulator } = withFaults([{ fault: 'late-progress', after: 500, for: 1_000 }], {
      handler: (_, { progress, delay }) => {
        progress('half');
        return delay(100).pipe(map(() => 'done'));
      },
    });
    const id = submit();
    until(599);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ status: 'COMPLETED', output: 'done' });
    until(600);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({
      status: 'IN_PROGRESS',
      output: 'half',
      executionTime: 100,
    });
    expect(emulator.jobs()).toMatchObject([{ status: 'COMPLETED', output: 'done' }]);
    const held = send('GET', `demo/status-sync/${id}`);
    until(1_599);
    expect(held.status).toBeUndefined();
    until(1_600);
    expect(held.text).toContain('"output":"done","status":"COMPLETED"');
  });

  test('late-progress without `for` stays', () => {
    const { ask, submit, until } = withFaults({ 'late-progress': 1 });
    const id = submit();
    until(1_000_000);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ status: 'IN_PROGRESS', output: 'late progress' });
  });

  test('a retry ends a late progress that is already shown', () => {
    const { ask, submit, until } = withFaults([{ fault: 'late-progress', times: 1 }], {
      handler: (_, { attempt }) => (attempt === 1 ? { error: 'no' } : 'yes'),
    });
    const id = submit();
    until(2_000);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ status: 'IN_PROGRESS' });
    ask('POST', `demo/retry/${id}`);
    until(2_001);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ status: 'COMPLETED', output: 'yes' });
  });

  test('a retry cancels a late progress that is still to come', () => {
    const { ask, submit, until } = withFaults([{ fault: 'late-progress', times: 1 }], {
      handler: (_, { attempt }) => (attempt === 1 ? { error: 'no' } : 'yes'),
    });
    const id = submit();
    until(10);
    ask('POST', `demo/retry/${id}`);
    until(10_000);
    expect(ask('GET', `demo/status/${id}`)).toMatchObject({ status: 'COMPLETED', output: 'yes' });
  });
});

describe('a fault of workers', () => {
  const workers = (w: ReturnType<typeof withFaults>) => w.ask('GET', 'demo/health').workers;
  const none = { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 0, unhealthy: 0 };

  test.each([
    ['no-workers', none],
    ['throttled-workers', { ...none, throttled: 3 }],
    ['unhealthy-workers', { ...none, unhealthy: 3 }],
  ] as const)('%s: jobs wait for as long as the rule is active', (fault, counts) => {
    const w = withFaults([], { ...slow, workers: { max: 3, min: 1 } });
    expect(workers(w)).toMatchObject({ idle: 1, ready: 1 });
    const running = w.submit();
    w.until(10);
    const remove = w.emulator.inject({ fault });
    const waiting = w.submit();
    w.until(999);
    expect(workers(w)).toEqual({ ...counts, running: 1 });
    w.until(100_000);
    expect(workers(w)).toEqual(counts);
    expect(w.ask('GET', `demo/status/${running}`).status).toBe('COMPLETED');
    expect(w.ask('GET', `demo/status/${waiting}`).status).toBe('IN_QUEUE');
    remove();
    w.until(100_000);
    expect(w.ask('GET', `demo/status/${waiting}`)).toMatchObject({ status: 'IN_PROGRESS' });
    expect(workers(w)).toEqual({ ...none, running: 1 });
  });

  test('keeps only `workers` away, and only of its endpoint', () => {
    const w = withFaults([{ fault: 'throttled-workers', workers: 2, endpoint: 'demo' }], slow);
    for (let count = 0; count < 4; count += 1) w.submit();
    w.until(0);
    expect(workers(w)).toEqual({ ...none, running: 1, throttled: 2 });
    expect(w.ask('GET', 'other/health').workers).toEqual(none);
  });

  test('stops workers that are starting', () => {
    const w = withFaults([], { ...slow, coldStart: 1_000 });
    const id = w.submit();
    w.until(500);
    w.emulator.inject({ fault: 'no-workers' });
    w.until(5_000);
    expect(w.ask('GET', `demo/status/${id}`).status).toBe('IN_QUEUE');
    expect(workers(w)).toEqual(none);
  });
});

describe('when a fault strikes', () => {
  const statuses = (faults: FaultOptions, paths: readonly string[], seed = 1) => {
    const { send } = withFaults(faults, quick, seed);
    return paths.map((path) => send('GET', path).status);
  };
  const health = Array.from({ length: 6 }, () => 'demo/health');

  test.each<[string, FaultOptions, number[]]>([
    ['nth', [{ fault: 'empty-502', nth: 2 }], [200, 502, 200, 200, 200, 200]],
    ['several nth', [{ fault: 'empty-502', nth: [1, 3] }], [502, 200, 502, 200, 200, 200]],
    ['times', { 'empty-502': { times: 2 } }, [502, 502, 200, 200, 200, 200]],
    ['probability 0', { 'empty-502': 0 }, [200, 200, 200, 200, 200, 200]],
    ['probability 1', { 'empty-502': 1 }, [502, 502, 502, 502, 502, 502]],
    ['undefined', { 'empty-502': undefined }, [200, 200, 200, 200, 200, 200]],
    ['burst', [{ fault: 'empty-502', nth: 2, burst: 3 }], [200, 502, 502, 502, 200, 200]],
    ['burst, at most', [{ fault: 'empty-502', nth: 2, burst: 3, times: 2 }], [200, 502, 502, 200, 200, 200]],
    ['when', [{ fault: 'empty-502', when: ({ at }) => at > 0 }], [200, 200, 200, 200, 200, 200]],
    ['endpoint', [{ fault: 'empty-502', endpoint: 'other' }], [200, 200, 200, 200, 200, 200]],
    ['another operation', [{ fault: 'empty-502', on: ['run', 'status'] }], [200, 200, 200, 200, 200, 200]],
    [
      'the first rule wins, all count',
      [
        { fault: 'empty-502', nth: [1, 2] },
        { fault: 'empty-429', nth: [2, 3] },
      ],
      [502, 502, 429, 200, 200, 200],
    ],
  ])('%s', (_, faults, expected) => {
    expect(statuses(faults, health)).toEqual(expected);
  });

  test('nth counts the requests that match the rule', () => {
    const rule: FaultRule = { fault: 'answer', on: 'status', nth: 2, endpoint: 'demo' };
    expect(statuses([rule], ['demo/health', 'demo/status/a', 'other/status/a', 'demo/status/b'])).toEqual([
      200, 404, 404, 500,
    ]);
  });

  test('when is called with the request', () => {
    const seen: unknown[] = [];
    const { send } = withFaults([{ fault: 'answer', when: (context) => seen.push(context) < 0 }]);
    send('GET', 'demo/status/abc?ttl=1');
    expect(seen).toEqual([
      {
        at: 0,
        endpointId: 'demo',
        operation: 'status',
        jobId: 'abc',
        method: 'GET',
        path: '/v2/demo/status/abc?ttl=1',
      },
    ]);
  });

  test('when is called with the job', () => {
    const { ask, submit, until } = withFaults([{ fault: 'json-error', when: ({ input }) => input?.bad === true }]);
    const [good, bad] = [submit({ bad: false }), submit({ bad: true })];
    until(0);
    expect([good, bad].map((id) => ask('GET', `demo/status/${id}`).status)).toEqual(['COMPLETED', 'FAILED']);
  });

  test('the seed decides with `probability`', () => {
    const many = Array.from({ length: 400 }, () => 'demo/health');
    const [one, same, other] = [1, 1, 2].map((seed) => statuses({ 'empty-502': 0.25 }, many, seed));
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
    const struck = one!.filter((status) => status === 502).length;
    expect(struck).toBeGreaterThan(70);
    expect(struck).toBeLessThan(130);
  });

  test('a rule can be added and removed', () => {
    const { send, emulator } = withFaults([]);
    const remove = emulator.inject({ fault: 'empty-502' });
    expect(send('GET', 'demo/health').status).toBe(502);
    remove();
    expect(send('GET', 'demo/health').status).toBe(200);
  });
});

describe('intercept', () => {
  test('is called with each request, and may answer it, change it or pass it on', () => {
    const { send } = world({
      endpoints: { demo: quick },
      intercept: (request, next) => {
        if (request.url.includes('health')) return of({ status: 299, headers: {}, text: 'mine' });
        if (request.url.includes('frob')) return next({ ...request, url: '/v2/demo/health' });
        return next(request);
      },
    });
    expect(send('GET', 'demo/health')).toMatchObject({ status: 299, text: 'mine' });
    expect(send('GET', 'demo/frob').text).toContain('"jobs"');
    expect(send('GET', 'demo/status/x').status).toBe(404);
  });
});
