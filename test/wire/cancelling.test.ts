import { NEVER, ReplaySubject, firstValueFrom, lastValueFrom, map, merge, retry, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  AbortedError,
  RequestTimeoutError,
  SubmissionUnknownError,
  type Endpoint,
  type JobSnapshot,
  type Reply,
} from '../../src/index.js';
import { held } from '../support/scriptedServer.js';
import { clientNames, errorOf, expectNoKey, wire, type ClientName } from '../support/wire.js';

const request = { input: { x: 1 } };
const QUEUED = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const CANCELLED = { body: { id: 'job-1', status: 'CANCELLED' } };
const REF = { v: 1, endpointId: 'demo', id: 'job-1' };

const reads = {
  status: (endpoint: Endpoint, options = {}) => endpoint.status('job-1', options),
  'watch, status': (endpoint: Endpoint, options = {}) => endpoint.watch('job-1', options),
  stream: (endpoint: Endpoint, options = {}) => endpoint.stream('job-1', options),
  health: (endpoint: Endpoint, options = {}) => endpoint.health(options),
  'watchHealth, health': (endpoint: Endpoint, options = {}) => endpoint.watchHealth(options),
  'request, openai': (endpoint: Endpoint, options = {}) => endpoint.request('openai', options),
  cancel: (endpoint: Endpoint, options = {}) => endpoint.cancel('job-1', options),
  'purgeQueue, purge-queue': (endpoint: Endpoint, options = {}) => endpoint.purgeQueue(options),
} as const;
const operationOf = (name: string) => name.replace(/.*, /, '');

const submissions = {
  run: (endpoint: Endpoint, options = {}) => endpoint.run(request, options),
  runsync: (endpoint: Endpoint, options = {}) => endpoint.runSync(request, options),
  retry: (endpoint: Endpoint, options = {}) => endpoint.retry('job-1', options),
} as const;

describe.each(clientNames)('%s', (name) => {
  describe('abandoning a read closes its connection', () => {
    const script = Object.fromEntries(Object.keys(reads).map((key) => [operationOf(key), 'hang' as const]));

    it.each(Object.entries(reads))('S5 %s, by unsubscribing', async (key, read) => {
      const { endpoint, server, until, activity, client, clock } = await wire(name, script);
      const subscription = read(endpoint).subscribe();
      await server.until(() => server.waiting);
      subscription.unsubscribe();
      await until(() => server.seen(operationOf(key))[0]?.state === 'gone');
      expect(server.seen()).toHaveLength(1);
      expect(activity.map(({ type }) => type).filter((type) => type !== 'wait')).toEqual(['request', 'abort']);
      expect(clock.timers).toBe(0);
      expect(await firstValueFrom(client.settled())).toEqual({ cancelled: [], finished: [], abandoned: [], lost: [] });
    });

    it.each(Object.entries(reads))('S5 S22 %s, by its signal', async (key, read) => {
      const { endpoint, server, clock } = await wire(name, script);
      const controller = new AbortController();
      const failed = errorOf(read(endpoint, { signal: controller.signal }));
      await server.until(() => server.waiting);
      controller.abort('enough');
      const error = await failed;
      expect(error).toBeInstanceOf(AbortedError);
      expect(error).toMatchObject({ name: 'AbortError', code: 'aborted', cause: 'enough' });
      expectNoKey(error);
      await server.until(() => server.seen(operationOf(key))[0]?.state === 'gone');
      expect(clock.timers).toBe(0);
    });

    it.each(Object.entries(reads))('S5 S12 %s, by its timeout', async (key, read) => {
      const { endpoint, server, clock } = await wire(name, script);
      const failed = errorOf(read(endpoint, { timeout: 200 }));
      await server.until(() => server.waiting);
      clock.advance(200);
      const error = await failed;
      expect(error).toBeInstanceOf(RequestTimeoutError);
      expect(error).toMatchObject({ code: 'request_timeout', timeout: 200 });
      await server.until(() => server.seen(operationOf(key))[0]?.state === 'gone');
      expect(server.seen()).toHaveLength(1);
      expect(clock.timers).toBe(0);
    });

    it('S5 S12 an attempt that times out closes its connection before the next attempt is sent', async () => {
      const { endpoint, server, clock } = await wire(name, { status: ['hang', QUEUED] }, { requestTimeout: 50 });
      const answer = firstValueFrom(endpoint.status('job-1'));
      await server.until(() => server.waiting);
      clock.advance(50);
      await server.until(() => server.seen('status')[0]?.state === 'gone');
      clock.leap();
      expect(await answer).toMatchObject({ status: 'IN_QUEUE' });
      expect(server.seen('status')).toHaveLength(2);
    });

    it('S7 a shared read goes on for its other subscribers', async () => {
      const late = held({ body: { id: 'job-1', status: 'COMPLETED', output: 1 } });
      const { endpoint, server } = await wire(name, { status: late.step });
      const unsubscribed = endpoint.status('job-1').subscribe();
      const staying = firstValueFrom(endpoint.status('job-1'));
      const watching = lastValueFrom(endpoint.watch('job-1'));
      await server.until(() => server.waiting);
      unsubscribed.unsubscribe();
      late.release();
      expect(await staying).toMatchObject({ status: 'COMPLETED' });
      expect(await watching).toMatchObject({ status: 'COMPLETED' });
      expect(server.seen('status')).toMatchObject([{ state: 'answered' }]);
    });

    it('S5 the next request succeeds after a closed connection', async () => {
      const { endpoint, server } = await wire(name, { status: ['hang', QUEUED] });
      const subscription = endpoint.status('job-1').subscribe();
      await server.until(() => server.waiting);
      subscription.unsubscribe();
      expect(await firstValueFrom(endpoint.status('job-1'))).toMatchObject({ id: 'job-1' });
    });

    it('S5 an unsubscribe in the middle of an answer aborts the read', async () => {
      const parts = ['{"jobs":{},', '"workers":{}}'].map((part) => Buffer.from(part));
      const { endpoint, server, activity } = await wire(name, {
        health: { headers: { 'content-length': '99' }, parts },
      });
      const subscription = endpoint.health().subscribe();
      await server.until(() => server.seen('health').length);
      await server.until(() => server.seen('health')[0]?.state === 'answered');
      subscription.unsubscribe();
      expect(activity.at(-1)).toMatchObject({ type: 'abort' });
    });

    it('S13 an unsubscribe in the pause before the next attempt stops the timer', async () => {
      const { endpoint, server, clock, until, activity } = await wire(name, { status: { status: 503 } });
      const subscription = endpoint.status('job-1').subscribe();
      await until(() => activity.some(({ type }) => type === 'repeat'));
      expect(clock.timers).toBe(1);
      subscription.unsubscribe();
      expect(clock.timers).toBe(0);
      expect(server.seen()).toHaveLength(1);
    });
  });

  describe('abandoning a submission in flight', () => {
    /** Ways to abandon a submission once the server has the request; the test lets the answer come afterwards. */
    const abandonBy = {
      unsubscribing: async ({ endpoint, server }: Wired, submit: Submit) => {
        const subscription = submit(endpoint).subscribe();
        await server.until(() => server.waiting);
        subscription.unsubscribe();
      },
      'its signal': async ({ endpoint, server }: Wired, submit: Submit) => {
        const controller = new AbortController();
        const failed = errorOf(submit(endpoint, { signal: controller.signal }));
        await server.until(() => server.waiting);
        controller.abort(new Error('enough'));
        const error = await failed;
        expect(error).toBeInstanceOf(AbortedError);
        expect(error).toMatchObject({ name: 'AbortError', accepted: 'unknown', cause: { message: 'enough' } });
      },
      'its timeout': async ({ endpoint, server, clock }: Wired, submit: Submit) => {
        const failed = errorOf(submit(endpoint, { timeout: 200 }));
        await server.until(() => server.waiting);
        clock.advance(200);
        const error = await failed;
        expect(error).toBeInstanceOf(SubmissionUnknownError);
        expect(error).toMatchObject({ accepted: 'unknown', cause: { code: 'request_timeout', timeout: 200 } });
      },
      'closing the client': async ({ client, endpoint, server }: Wired, submit: Submit) => {
        const failed = errorOf(submit(endpoint));
        await server.until(() => server.waiting);
        const report = firstValueFrom(client.close());
        expect(await failed).toMatchObject({ code: 'client_closed', accepted: 'unknown' });
        return { report };
      },
    } as const;
    const rows = Object.keys(submissions).flatMap((operation) =>
      Object.keys(abandonBy).map((how) => [operation, how] as [keyof typeof submissions, keyof typeof abandonBy]),
    );

    it.each(rows)('S5 S6 %s, by %s: reads the answer, and cancels the job', async (operation, how) => {
      const late = held(QUEUED);
      const wired = await wire(name, { [operation]: late.step, cancel: CANCELLED });
      const { server, client, activity } = wired;
      const closing = await abandonBy[how](wired, submissions[operation]);
      const settled = closing?.report ?? firstValueFrom(client.settled());
      expect(server.seen(operation)).toMatchObject([{ state: 'waiting' }]);
      late.release();
      expect(await settled).toMatchObject({ cancelled: [REF], finished: [], abandoned: [] });
      expect(server.seen().map(({ method, path, state }) => [method, path.replace(/\?.*/, ''), state])).toEqual([
        ['POST', `/v2/demo/${operation}${operation === 'retry' ? '/job-1' : ''}`, 'answered'],
        ['POST', '/v2/demo/cancel/job-1', 'answered'],
      ]);
      expect(activity.filter(({ type }) => type === 'abort')).toEqual([]);
      expect(activity.filter(({ type }) => type === 'cancel')).toMatchObject([
        { outcome: 'started', jobId: 'job-1' },
        { outcome: 'cancelled', jobId: 'job-1' },
      ]);
      expectNoKey(activity);
    });

    it.each(Object.keys(submissions) as (keyof typeof submissions)[])(
      'S5 %s, in the same turn as its subscription: sends and cancels it, or never sends it',
      async (operation) => {
        const { server, client, endpoint } = await wire(name, { [operation]: QUEUED, cancel: CANCELLED });
        submissions[operation](endpoint).subscribe().unsubscribe();
        const report = await firstValueFrom(client.settled());
        expect(report.cancelled).toHaveLength(server.seen(operation).length);
        expect(server.seen('cancel')).toHaveLength(server.seen(operation).length);
      },
    );

    it('S5 does not cancel a job that the answer shows as ended', async () => {
      const late = held({ body: { id: 'job-1', status: 'COMPLETED', output: 1 } });
      const wired = await wire(name, { runsync: late.step });
      await abandonBy.unsubscribing(wired, submissions.runsync);
      late.release();
      await firstValueFrom(wired.client.settled());
      expect(wired.server.seen('cancel')).toEqual([]);
    });

    it('S5 cancels nothing if the submission is refused', async () => {
      const late = held({ status: 429 });
      const wired = await wire(name, { run: late.step });
      await abandonBy.unsubscribing(wired, submissions.run);
      late.release();
      expect(await firstValueFrom(wired.client.settled())).toEqual({
        cancelled: [],
        finished: [],
        abandoned: [],
        lost: [],
      });
      expect(wired.server.seen()).toHaveLength(1);
      expect(wired.clock.timers).toBe(0);
    });

    it('S1 S5 stops a link that repeats from submitting a second time', async () => {
      const late = held({ status: 500 });
      const wired = await wire(name, { run: late.step }, { links: [(asked, next) => next(asked).pipe(repeatOn5xx())] });
      await abandonBy.unsubscribing(wired, submissions.run);
      late.release();
      await firstValueFrom(wired.client.settled());
      expect(wired.server.seen()).toHaveLength(1);
    });

    it('S5 S6 cancels the job of a /retry even if its answer is lost', async () => {
      const wired = await wire(name, { retry: 'hang', cancel: CANCELLED }, { requestTimeout: 500 });
      await abandonBy.unsubscribing(wired, submissions.retry);
      wired.leaping();
      expect(await firstValueFrom(wired.client.settled())).toMatchObject({ cancelled: [{ id: 'job-1' }] });
    });

    it('S5 S12 reads the answer no longer than the timeout of the attempt', async () => {
      const wired = await wire(name, { runsync: 'hang' });
      await abandonBy.unsubscribing(wired, (endpoint) => endpoint.runSync(request, { wait: 2000 }));
      wired.clock.advance(16_999);
      expect(wired.server.seen('runsync')).toMatchObject([{ state: 'waiting' }]);
      wired.clock.advance(1);
      await wired.server.until(() => wired.server.seen('runsync')[0]?.state === 'gone');
      await firstValueFrom(wired.client.settled());
      expect(wired.clock.timers).toBe(0);
    });

    it('S5 cancels the job and aborts the read of a runSync that polls', async () => {
      const { endpoint, server, client, leaping } = await wire(name, {
        runsync: { body: { id: 'job-1', status: 'IN_PROGRESS' } },
        'status-sync': 'hang',
        cancel: CANCELLED,
      });
      const subscription = endpoint.runSync(request).subscribe();
      leaping();
      await server.until(() => server.seen('status-sync')[0]?.state === 'waiting');
      subscription.unsubscribe();
      expect(await firstValueFrom(client.settled())).toMatchObject({ cancelled: [REF] });
      await server.until(() => server.seen('status-sync')[0]?.state === 'gone');
    });

    it('S5 cancels nothing once run has emitted the id of its job', async () => {
      const { endpoint, server, client } = await wire(name, { run: QUEUED });
      const given = new ReplaySubject<JobSnapshot>();
      // Never completes, so that the subscription is still open after the id.
      const subscription = merge(endpoint.run(request), NEVER).subscribe(given);
      await firstValueFrom(given);
      subscription.unsubscribe();
      await firstValueFrom(client.settled());
      expect(server.seen('cancel')).toEqual([]);
    });
  });

  describe('abandoning a submission before it is sent', () => {
    const abandonBy = {
      unsubscribing: async ({ endpoint }: Wired, ready: () => Promise<void>) => {
        const subscription = endpoint.run(request).subscribe();
        await ready();
        subscription.unsubscribe();
      },
      'its signal': async ({ endpoint }: Wired, ready: () => Promise<void>) => {
        const controller = new AbortController();
        const failed = errorOf(endpoint.run(request, { signal: controller.signal }));
        await ready();
        controller.abort();
        expect(await failed).toMatchObject({ code: 'aborted', accepted: 'no' });
      },
      'its timeout': async ({ endpoint, clock }: Wired, ready: () => Promise<void>) => {
        const failed = errorOf(endpoint.run(request, { timeout: 100 }));
        await ready();
        clock.advance(100);
        expect(await failed).toMatchObject({ code: 'request_timeout', accepted: 'no', retryable: true });
      },
      'closing the client': async ({ endpoint, client }: Wired, ready: () => Promise<void>) => {
        const failed = errorOf(endpoint.run(request));
        await ready();
        client.close().subscribe();
        expect(await failed).toMatchObject({ code: 'client_closed', accepted: 'no' });
      },
    } as const;
    const ways = Object.keys(abandonBy) as (keyof typeof abandonBy)[];

    it.each(ways)('S5 S13 while it waits for budget, by %s: never sends it', async (how) => {
      const wired = await wire(name, { run: QUEUED }, { limits: { run: { requests: 1, per: 10_000 } } });
      const { server, client, clock, activity, until } = wired;
      await firstValueFrom(wired.endpoint.run(request));
      await abandonBy[how](wired, () => until(() => activity.some(({ type }) => type === 'wait')));
      expect(clock.timers).toBe(0);
      clock.advance(100_000);
      await firstValueFrom(client.settled());
      expect(server.seen()).toHaveLength(1);
    });

    it.each(ways)('S5 S13 in the pause before a repeat, by %s: never sends it again', async (how) => {
      const wired = await wire(name, { run: { status: 429, headers: { 'retry-after': '5' } }, cancel: CANCELLED });
      const { server, client, clock, activity, until } = wired;
      await abandonBy[how](wired, () => until(() => activity.some(({ type }) => type === 'repeat')));
      expect(clock.timers).toBe(0);
      clock.advance(100_000);
      expect(await firstValueFrom(client.settled())).toEqual({ cancelled: [], finished: [], abandoned: [], lost: [] });
      expect(server.seen()).toHaveLength(1);
    });

    it('S5 by a signal that is already aborted: never sends it', async () => {
      const { endpoint, server } = await wire(name, { run: QUEUED });
      const error = await errorOf(endpoint.run(request, { signal: AbortSignal.abort(new Error('before')) }));
      expect(error).toMatchObject({ name: 'AbortError', accepted: 'no', cause: { message: 'before' } });
      expect(server.seen()).toEqual([]);
    });

    it('S5 gives its turn to the next request', async () => {
      const { endpoint, server, clock } = await wire(
        name,
        { run: QUEUED },
        { limits: { run: { requests: 1, per: 10_000 } } },
      );
      await firstValueFrom(endpoint.run(request));
      const unsubscribed = endpoint.run({ input: { x: 2 } }).subscribe();
      const staying = firstValueFrom(endpoint.run({ input: { x: 3 } }));
      unsubscribed.unsubscribe();
      clock.advance(20_000);
      await staying;
      expect(server.seen().map(({ body }) => body)).toEqual(['{"input":{"x":1}}', '{"input":{"x":3}}']);
    });
  });
});

/** Repeats a request after a 5xx. */
function repeatOn5xx() {
  return (source: Observable<Reply>) => source.pipe(map(throwOn5xx), retry(3));
}

function throwOn5xx(reply: Reply): Reply {
  if (reply.status >= 500) throw new Error('again');
  return reply;
}

type Wired = Awaited<ReturnType<typeof wire>>;
type Submit = (typeof submissions)[keyof typeof submissions];

describe('S6 the cancel of an abandoned job', () => {
  const name: ClientName = 'axios over undici';
  const abandonRun = async (script: Parameters<typeof wire>[1], options = {}) => {
    const late = held(QUEUED);
    const wired = await wire(name, { run: late.step, ...script }, options);
    const subscription = wired.endpoint.run(request).subscribe();
    await wired.server.until(() => wired.server.waiting);
    subscription.unsubscribe();
    late.release();
    wired.leaping();
    return wired;
  };

  it.each([500, 502, 503, 429, 408])('S6 is repeated after a %d', async (status) => {
    const failures = Array.from({ length: 9 }, () => ({ status }));
    const { client, server } = await abandonRun({ cancel: [...failures, CANCELLED] });
    expect(await firstValueFrom(client.settled())).toMatchObject({ cancelled: [REF] });
    expect(server.seen('cancel')).toHaveLength(10);
  });

  it('S6 is repeated after broken connections and missing answers', async () => {
    const { client, server } = await abandonRun({ cancel: ['reset', 'reset-before', 'cut', 'hang', CANCELLED] });
    expect(await firstValueFrom(client.settled())).toMatchObject({ cancelled: [REF] });
    expect(server.seen('cancel')).toHaveLength(5);
  });

  it('S6 obeys a long Retry-After', async () => {
    const { client, clock, server } = await abandonRun({
      cancel: [{ status: 429, headers: { 'retry-after': '90' } }, CANCELLED],
    });
    await firstValueFrom(client.settled());
    expect(clock.now()).toBeGreaterThanOrEqual(90_000);
    expect(server.seen('cancel')).toHaveLength(2);
  });

  it.each([401, 403])('S6 is given up after four answers of %d', async (status) => {
    const { client, server, clock } = await abandonRun({ cancel: { status } });
    expect(await firstValueFrom(client.settled())).toMatchObject({ cancelled: [], finished: [], abandoned: [REF] });
    expect(server.seen('cancel')).toHaveLength(4);
    expect(clock.timers).toBe(0);
  });

  it('S6 is given up after ten minutes', async () => {
    const { client, clock, server } = await abandonRun({ cancel: { status: 503 } });
    expect(await firstValueFrom(client.settled())).toMatchObject({ abandoned: [REF] });
    expect(clock.now()).toBeGreaterThan(500_000);
    expect(clock.now()).toBeLessThanOrEqual(600_000);
    expect(server.seen('cancel').length).toBeGreaterThan(20);
  });

  it('S18 is repeated after a 404 just after the submission', async () => {
    const missing = { status: 404, body: { error: 'job not found' } };
    const { client, server } = await abandonRun({ cancel: [missing, missing, missing, CANCELLED] });
    expect(await firstValueFrom(client.settled())).toMatchObject({ cancelled: [REF] });
    expect(server.seen('cancel')).toHaveLength(4);
  });

  it('S18 ends with the job finished after 404 answers for 10 s', async () => {
    const { client, clock } = await abandonRun({ cancel: { status: 404, body: { error: 'job not found' } } });
    expect(await firstValueFrom(client.settled())).toMatchObject({ finished: [REF] });
    expect(clock.now()).toBeGreaterThanOrEqual(10_000);
    expect(clock.now()).toBeLessThan(11_000);
  });

  it.each(['COMPLETED', 'FAILED', 'TIMED_OUT'])('S6 reports a job that is already %s as finished', async (status) => {
    const { client } = await abandonRun({ cancel: { body: { id: 'job-1', status } } });
    expect(await firstValueFrom(client.settled())).toMatchObject({ cancelled: [], finished: [REF] });
  });

  it('S6 reads the status of the job after a refusal', async () => {
    const { client, server } = await abandonRun({
      cancel: { status: 400, body: { error: 'job is over' } },
      status: { body: { id: 'job-1', status: 'COMPLETED' } },
    });
    expect(await firstValueFrom(client.settled())).toMatchObject({ finished: [REF] });
    expect(server.seen().map(({ operation }) => operation)).toEqual(['run', 'cancel', 'status']);
  });

  it('S6 is repeated after a refusal while the job still runs', async () => {
    const { client, server } = await abandonRun({
      cancel: [{ status: 400 }, CANCELLED],
      status: { body: { id: 'job-1', status: 'IN_PROGRESS' } },
    });
    expect(await firstValueFrom(client.settled())).toMatchObject({ cancelled: [REF] });
    expect(server.seen('cancel')).toHaveLength(2);
  });

  it('S6 keeps within the limits of /cancel', async () => {
    let open = 0;
    let most = 0;
    const id = (n: number) => ({ id: `job-${n}`, status: 'IN_QUEUE' });
    let count = 0;
    const { endpoint, server, client, leaping } = await wire(
      name,
      {
        run: () => ({ body: id(++count) }),
        cancel: ({ path }) => {
          most = Math.max(most, ++open);
          setImmediate(() => open--);
          return { body: { id: path.replace(/.*\//, ''), status: 'CANCELLED' } };
        },
      },
      { limits: { cancel: { requests: 3, per: 10_000, concurrent: 1 } } },
    );
    for (let n = 0; n < 8; n++) endpoint.run(request).subscribe().unsubscribe();
    leaping();
    const { cancelled } = await firstValueFrom(client.settled());
    expect(cancelled).toHaveLength(8);
    expect(new Set(server.seen('cancel').map(({ path }) => path)).size).toBe(8);
    expect(server.seen('cancel')).toHaveLength(8);
    expect(most).toBe(1);
  });

  it('S6 purges no queue and touches no other job', async () => {
    const { endpoint, client, server } = await abandonRun({
      cancel: CANCELLED,
      status: { body: { id: 'job-2', status: 'IN_QUEUE' } },
    });
    await firstValueFrom(endpoint.status('job-2'));
    await firstValueFrom(client.settled());
    expect(
      server
        .seen()
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['/v2/demo/cancel/job-1', '/v2/demo/run', '/v2/demo/status/job-2']);
  });
});

describe.each(clientNames)('close(): %s', (name) => {
  it('S6 ends every call, cancels the abandoned job, and leaves no timer', async () => {
    const late = held(QUEUED);
    const { endpoint, client, server, clock, activity } = await wire(name, {
      run: late.step,
      status: 'hang',
      stream: 'hang',
      health: 'hang',
      cancel: CANCELLED,
    });
    const calls = [
      errorOf(endpoint.run(request)),
      errorOf(endpoint.status('job-9')),
      errorOf(endpoint.watch('job-8')),
      errorOf(endpoint.stream('job-7')),
      errorOf(endpoint.health()),
    ];
    await server.until(() => server.waiting === calls.length);
    let completed = false;
    client.activity$.subscribe({ complete: () => (completed = true) });
    const report = lastValueFrom(client.close());
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: 'client_closed' });
    await server.until(() => server.seen().filter(({ state }) => state === 'gone').length === 4);
    late.release();
    expect(await report).toMatchObject({ cancelled: [REF] });
    expect(
      server
        .seen()
        .map(({ operation }) => operation)
        .slice(5),
    ).toEqual(['cancel']);
    expect(clock.timers).toBe(0);
    expect(completed).toBe(true);
    expect(activity.at(-1)).toMatchObject({ type: 'cancel', outcome: 'cancelled' });
  });

  it('S6 acts when it is called, without a subscriber, and refuses later calls', async () => {
    const { endpoint, client, server } = await wire(name, { status: 'hang' });
    const failed = errorOf(endpoint.status('job-1'));
    await server.until(() => server.waiting);
    client.close();
    expect(await failed).toMatchObject({ code: 'client_closed', jobId: 'job-1' });
    await server.until(() => server.seen('status')[0]?.state === 'gone');
    expect(await errorOf(endpoint.run(request))).toMatchObject({ code: 'client_closed', accepted: 'no' });
    expect(await errorOf(endpoint.health())).toMatchObject({ code: 'client_closed' });
    expect(server.seen()).toHaveLength(1);
  });
});
