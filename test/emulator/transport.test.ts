import { TestScheduler } from 'rxjs/testing';
import { concatMap, map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createEmulator } from 'runpod-rx/testing';
import type { EmulatedEndpoint, RequestRecord } from 'runpod-rx/testing';
import { world } from './world.js';

const quick: EmulatedEndpoint = { handler: ({ input }) => input };

describe('the transport', () => {
  test('is cold: each subscription sends', () => {
    const { emulator } = world({ endpoints: { demo: quick } });
    const reply$ = emulator.transport({
      method: 'POST',
      url: '/v2/demo/run',
      headers: {},
      body: '{"input":{"x":1}}',
      timeout: 1,
      operation: 'run',
    });
    expect(emulator.requests()).toEqual([]);
    reply$.subscribe();
    reply$.subscribe();
    expect(emulator.jobs()).toHaveLength(2);
  });

  test('latency: half before the request has any effect, half after', () => {
    const { send, emulator, until } = world({ endpoints: { demo: quick }, latency: 101 });
    const seen = send('POST', 'demo/run', { input: { x: 1 } });
    until(49);
    expect(emulator.jobs()).toEqual([]);
    until(50);
    expect(emulator.jobs()).toMatchObject([{ submittedAt: 50 }]);
    until(100);
    expect(seen.status).toBeUndefined();
    until(101);
    expect(seen).toMatchObject({ status: 200, at: 101 });
    expect(emulator.requests()).toMatchObject([{ at: 0, endedAt: 101, status: 200 }]);
  });

  test('latency may depend on the request', () => {
    const { send, until } = world({
      endpoints: { demo: quick },
      latency: ({ method }) => (method === 'GET' ? 10 : 0),
    });
    const seen = send('GET', 'demo/health');
    expect(send('POST', 'demo/purge-queue').at).toBe(0);
    until(10);
    expect(seen.at).toBe(10);
  });

  test('a request that is aborted before it arrives has no effect; after that, it has taken effect', () => {
    const { send, emulator, until } = world({ endpoints: { demo: quick }, latency: 100 });
    const early = send('POST', 'demo/run', { input: { x: 1 } });
    until(49);
    early.subscription.unsubscribe();
    const late = send('POST', 'demo/run', { input: { x: 2 } });
    until(100);
    late.subscription.unsubscribe();
    until(1_000);
    const [job, ...others] = emulator.jobs();
    expect(others).toEqual([]);
    expect(job?.input).toEqual({ x: 2 });
    const [first, second] = emulator.requests();
    expect(first).toMatchObject({ aborted: true, endedAt: 49 });
    expect(first).not.toHaveProperty('jobId');
    expect(second).toMatchObject({ aborted: true, endedAt: 100, jobId: job?.id });
    expect(second).not.toHaveProperty('status');
  });

  test('works with a TestScheduler', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ expectObservable }) => {
      const { transport } = createEmulator({
        endpoints: { demo: { handler: (_, { delay }) => delay(600_000 - 1).pipe(map(() => 'done')) } },
        latency: 10,
        scheduler,
      });
      const send = (method: 'GET' | 'POST', path: string, body?: string) =>
        transport({ method, url: `/v2/demo/${path}`, headers: {}, timeout: 1, operation: 'x', ...(body && { body }) });
      const status$ = send('POST', 'run', '{"input":{"x":1}}').pipe(
        map(({ text }) => String(JSON.parse(text).id)),
        concatMap((id) => send('GET', `status-sync/${id}?wait=300000`).pipe(map(() => id))),
        concatMap((id) => send('GET', `status-sync/${id}?wait=300000`)),
        map(({ text }) => String(JSON.parse(text).status)),
      );
      expectObservable(status$).toBe('600s 9ms (a|)', { a: 'COMPLETED' });
    });
  });
});

describe('the ledger', () => {
  test('emits each request when it is over', () => {
    const { send, emulator, until } = world({ endpoints: { demo: { handler: (_, { delay }) => delay(500) } } });
    const over: RequestRecord[] = [];
    let completed = false;
    emulator.requests$.subscribe({ next: (request) => over.push(request), complete: () => (completed = true) });
    send('POST', 'demo/runsync', { input: { x: 1 } });
    send('GET', 'demo/health', undefined, { authorization: 'some-key' });
    expect(over).toEqual([
      {
        seq: 2,
        at: 0,
        endedAt: 0,
        method: 'GET',
        path: '/v2/demo/health',
        endpointId: 'demo',
        operation: 'health',
        auth: 'bare',
        status: 200,
      },
    ]);
    expect(emulator.requests()).toMatchObject([{ seq: 1, jobId: emulator.jobs()[0]?.id }, { seq: 2 }]);
    until(500);
    expect(over).toMatchObject([{}, { seq: 1, endedAt: 500, status: 200, auth: 'none' }]);
    emulator.close();
    expect(completed).toBe(true);
  });

  test('holds the time billed so far', () => {
    const { submit, emulator, until } = world({ endpoints: { demo: { handler: (_, { delay }) => delay(5_000) } } });
    submit();
    until(1_200);
    expect(emulator.jobs()).toEqual([
      {
        id: expect.any(String),
        endpointId: 'demo',
        operation: 'run',
        input: { x: 1 },
        policy: {},
        submittedAt: 0,
        status: 'IN_PROGRESS',
        runs: [{ workerId: expect.any(String), startedAt: 0 }],
        executionMs: 1_200,
        retries: 0,
        renewals: 0,
        cancelRequests: 0,
        chunks: [],
        chunksHandedOut: 0,
      },
    ]);
  });

  test('is plain data: changing it does not change the emulator', () => {
    const { submit, emulator } = world({ endpoints: { demo: quick } });
    submit();
    const before = emulator.jobs();
    expect(structuredClone(before)).toEqual(before);
    Object.assign(before[0]!, { status: 'FAILED' });
    expect(emulator.jobs()[0]?.status).toBe('IN_QUEUE');
  });
});
