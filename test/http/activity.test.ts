import { VirtualTimeScheduler, of } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { createRunpod } from 'runpod-rx';
import type { Activity, Runpod, Transport } from 'runpod-rx';
import { script, world } from '../support/world.js';

const input = { ms: 10_000 };

describe('activity$', () => {
  test('reports each attempt of a repeated call', () => {
    const { endpoint, activity, see, until } = script((_, nth) =>
      nth === 1
        ? { status: 503, body: { error: 'busy' }, after: 100 }
        : nth === 2
          ? { phase: 'sent' }
          : { body: { id: 'job-1', status: 'COMPLETED' }, after: 20 },
    );
    see(endpoint.status('job-1'));
    until(60_000);
    const base = { endpointId: 'demo', operation: 'status', jobId: 'job-1', tag: undefined, call: 1 };
    const request = { type: 'request', method: 'GET', path: '/demo/status/job-1' };
    expect(activity).toEqual([
      { ...base, ...request, at: 0, attempt: 1 },
      { ...base, at: 100, type: 'reply', status: 503, duration: 100, attempt: 1 },
      { ...base, at: 100, type: 'repeat', delay: 250, reason: '503 busy', attempt: 1 },
      { ...base, ...request, at: 350, attempt: 2 },
      { ...base, at: 350, type: 'failure', message: expect.stringContaining('broken'), duration: 0, attempt: 2 },
      { ...base, at: 350, type: 'repeat', delay: 500, reason: expect.stringContaining('broken'), attempt: 2 },
      { ...base, ...request, at: 850, attempt: 3 },
      { ...base, at: 870, type: 'reply', status: 200, duration: 20, attempt: 3 },
      { ...base, at: 870, type: 'ended', status: 'COMPLETED' },
    ]);
  });

  test('reports the cancel of an abandoned job', () => {
    const { endpoint, emulator, activity, see, until } = world({ latency: 100 });
    see(endpoint.run({ input })).subscription.unsubscribe();
    until(60_000);
    const jobId = emulator.jobs()[0]!.id;
    expect(activity.map(({ at, type, operation }) => [at, type, operation])).toEqual([
      [0, 'request', 'run'],
      [100, 'reply', 'run'],
      [100, 'submitted', 'run'],
      [100, 'cancel', 'cancel'],
      [100, 'request', 'cancel'],
      [200, 'reply', 'cancel'],
      [200, 'ended', 'cancel'],
      [200, 'cancel', 'cancel'],
    ]);
    expect(activity.filter(({ type }) => type === 'cancel')).toMatchObject([
      { outcome: 'started', jobId },
      { outcome: 'cancelled', jobId },
    ]);
  });

  test('reports an unsubscribed request as one abort', () => {
    const { endpoint, activity, see, until } = script(() => 'never');
    const seen = see(endpoint.status('a'));
    until(300);
    seen.subscription.unsubscribe();
    expect(activity.map(({ type }) => type)).toEqual(['request', 'abort']);
    expect(activity.at(-1)).toMatchObject({ type: 'abort', duration: 300, attempt: 1, at: 300 });
  });

  test('gives all events of a call the same number', () => {
    const { endpoint, activity, see, until } = script(() => ({ body: { jobs: {}, workers: {} }, after: 10 }));
    see(endpoint.health());
    see(endpoint.health());
    until(100);
    expect(activity.map(({ call, type }) => `${call} ${type}`)).toEqual([
      '1 request',
      '2 request',
      '1 reply',
      '2 reply',
    ]);
  });

  test('reports all endpoints to every subscriber', () => {
    const { client, see } = script(() => ({ body: { jobs: {}, workers: {} } }));
    const one = see(client.activity$);
    const two = see(client.activity$);
    see(client.endpoint('a').health());
    see(client.endpoint('b').health());
    expect(one.values.map(({ endpointId }) => endpointId)).toEqual(['a', 'a', 'b', 'b']);
    expect(two.values).toEqual(one.values);
  });

  test('S21 never shows the key, even if an answer echoes it', () => {
    const { client, endpoint, see, until } = script(
      (request, nth) =>
        nth === 1
          ? { status: 503, body: { error: `bad token ${String(request.headers.authorization)}` } }
          : nth === 2
            ? { body: `no JSON, but Bearer my-secret-key` }
            : { phase: 'sent' },
      { apiKey: 'my-secret-key' },
    );
    const seen = see(client.activity$);
    const calls = [see(endpoint.status('a')), see(endpoint.status('b'))];
    until(60_000);
    expect(seen.values.length).toBeGreaterThan(4);
    expect(JSON.stringify(seen.values)).not.toContain('my-secret-key');
    for (const { error } of calls) {
      expect(error).toBeDefined();
      expect(JSON.stringify(error) + String(error) + String((error as Error).stack)).not.toContain('my-secret-key');
    }
  });

  test('S21 shows no key of any attempt, even if an answer echoes all of them', () => {
    const keys = ['first-secret', 'second-secret'];
    const used: string[] = [];
    let asked = 0;
    const { client, endpoint, see, until } = script(
      ({ headers }, nth) => {
        used.push(String(headers.authorization).slice('Bearer '.length));
        return { status: nth === 1 ? 503 : 401, body: { error: [...used, ...used].join(' ') } };
      },
      { apiKey: () => of(keys[asked++] ?? '') },
    );
    const seen = see(client.activity$);
    const call = see(endpoint.status('a'));
    until(60_000);
    expect(call.error).toMatchObject({ code: 'authentication' });
    expect(used).toEqual(keys);
    expect(String(call.error)).toContain('*** *** *** ***');
    expect(JSON.stringify([...seen.values, call.error]) + String(call.error)).not.toContain('-secret');
  });

  test('does not read the clock without a subscriber', () => {
    /** How often one call reads the clock. */
    const clockReads = (listen: (activity$: Runpod['activity$']) => void) => {
      const scheduler = new VirtualTimeScheduler();
      const now = vi.spyOn(scheduler, 'now');
      const transport: Transport = () => of({ status: 200, headers: {}, text: '{"jobs":{},"workers":{}}' });
      const client = createRunpod({ transport, scheduler, apiKey: 'key', limits: false });
      listen(client.activity$);
      client.endpoint('demo').health().subscribe();
      return now.mock.calls.length;
    };
    const unobserved = clockReads(() => undefined);
    // The time of the request, the time of the reply, and the duration of the reply.
    expect(clockReads((activity$) => activity$.subscribe())).toBe(unobserved + 3);
    expect(
      clockReads((activity$) => {
        activity$.subscribe().unsubscribe();
      }),
    ).toBe(unobserved);
  });

  test('has a type that narrows by `type`', () => {
    const describeEvent = (event: Activity): string => {
      switch (event.type) {
        case 'request':
          return `${event.method} ${event.path}`;
        case 'reply':
          return `${event.status} in ${event.duration}`;
        case 'failure':
          return event.message;
        case 'repeat':
          return `in ${event.delay}: ${event.reason}`;
        case 'wait':
          return `${event.waiting} wait`;
        case 'cancel':
          return event.outcome;
        case 'lost':
          return event.reason;
        case 'gap':
          return `after ${event.delivered}`;
        case 'abort':
          return `after ${event.duration}`;
        case 'submitted':
        case 'detached':
          return event.jobId;
        case 'error':
          return event.code;
        case 'ended':
          return event.status;
      }
    };
    const { endpoint, activity, see } = script(() => ({ body: { jobs: {}, workers: {} } }));
    see(endpoint.health());
    expect(activity.map(describeEvent)).toEqual(['GET /demo/health', '200 in 0']);
  });
});
