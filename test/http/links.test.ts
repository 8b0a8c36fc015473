import { catchError, defer, map, of, race, retry, switchMap, tap, throwError, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { CallRequest, Link } from 'runpod-rx';
import { script, world, type Answer } from '../support/world.js';

const input = { x: 1 };
const queued = { body: { id: 'a', status: 'IN_QUEUE' } };

describe('links', () => {
  test('run in order, the first outermost, and see the request and the answer', () => {
    const log: string[] = [];
    const named =
      (name: string): Link =>
      (request, next) => {
        log.push(`${name} ${request.operation}`);
        return next(request).pipe(tap(({ status }) => log.push(`${name} ${status}`)));
      };
    const { endpoint, see } = script(() => queued, { links: [named('a'), named('b')] });
    see(endpoint.run({ input }));
    expect(log).toEqual(['a run', 'b run', 'b 200', 'a 200']);
  });

  test('receive the whole request, without the key', () => {
    const seen: CallRequest[] = [];
    const { endpoint, see } = script(() => queued, {
      links: [
        (request, next) => {
          seen.push(request);
          return next(request);
        },
      ],
    });
    see(endpoint.run({ input }));
    see(endpoint.status('job-1'));
    see(endpoint.cancel('job-1'));
    expect(seen).toMatchObject([
      {
        operation: 'run',
        kind: 'submission',
        endpointId: 'demo',
        method: 'POST',
        timeout: 120_000,
        body: '{"input":{"x":1}}',
      },
      { operation: 'status', kind: 'read', jobId: 'job-1', url: 'https://api.runpod.ai/v2/demo/status/job-1' },
      { operation: 'cancel', kind: 'command', jobId: 'job-1' },
    ]);
    expect(JSON.stringify(seen)).not.toMatch(/authorization|"key"|Bearer/i);
  });

  test('may change headers: they see the headers of the call in lower case, and cannot replace the key', () => {
    const link: Link = (request, next) => next({ ...request, headers: { ...request.headers, 'x-trace': '7' } });
    const { endpoint, sent, see } = script(() => queued, { links: [link] });
    see(endpoint.run({ input }, { headers: { 'X-Mine': 'yes', Authorization: 'Bearer other' } }));
    expect(sent[0]!.headers).toEqual({
      accept: 'application/json',
      'content-type': 'application/json',
      'x-mine': 'yes',
      'x-trace': '7',
      authorization: 'Bearer key',
    });
  });

  test('receive the context of the call, which is never sent', () => {
    const secret = { user: { name: 'anna' } };
    const seen: unknown[] = [];
    const { endpoint, sent, see } = script(() => queued, {
      links: [
        (request, next) => {
          seen.push(request.context);
          return next(request);
        },
      ],
    });
    see(endpoint.run({ input }, { context: secret }));
    see(endpoint.run({ input }));
    see(endpoint.watch('a', { context: secret })).subscription.unsubscribe();
    expect(seen).toEqual([secret, {}, secret]);
    expect(seen[0]).toBe(secret);
    expect(JSON.stringify(sent)).not.toContain('anna');
  });

  test('run once for each call, not once for each attempt', () => {
    let calls = 0;
    const { endpoint, sent, see, until } = script((_, nth) => (nth < 4 ? { status: 503 } : queued), {
      links: [(request, next) => (calls++, next(request))],
    });
    see(endpoint.status('a'));
    until(60_000);
    expect(sent).toHaveLength(4);
    expect(calls).toBe(1);
  });

  test('may answer a request, or turn a failure into an answer', () => {
    const cached: Link = (request, next) =>
      request.operation === 'health'
        ? of({ status: 200, headers: {}, text: '{"jobs":{"inQueue":7},"workers":{}}' })
        : next(request).pipe(
            catchError(() => of({ status: 200, headers: {}, text: '{"id":"a","status":"COMPLETED"}' })),
          );
    const { endpoint, sent, see, until } = script(() => ({ phase: 'sent' }), { links: [cached], retry: false });
    expect(see(endpoint.health()).values).toMatchObject([{ jobs: { inQueue: 7 } }]);
    expect(sent).toEqual([]);
    expect(see(endpoint.status('a')).values).toMatchObject([{ status: 'COMPLETED' }]);
    until(10_000);
  });

  test('S22 pass their errors to a submission, and as causes to a read, whether thrown or emitted', () => {
    const failing: Link[] = [
      () => {
        throw new TypeError('a link broke');
      },
      () => throwError(() => new TypeError('a link broke')),
    ];
    for (const link of failing) {
      const { endpoint, sent, see, until } = script(() => queued, { links: [link] });
      const call = see(endpoint.run({ input }));
      const watch = see(endpoint.watch('a', { outage: 3_000 }));
      until(10_000);
      const broken = { message: 'a link broke', name: 'TypeError' };
      expect(call.error).toMatchObject(broken);
      expect(watch.error).toMatchObject({ code: 'response', jobId: 'a', cause: broken });
      expect(sent).toEqual([]);
    }
  });

  test('S1 cause a SubmissionUnknownError when they fail after a submission was sent', () => {
    const link: Link = (request, next) =>
      next(request).pipe(
        map(() => {
          throw new TypeError('a link broke');
        }),
      );
    const { endpoint, see } = script(() => queued, { links: [link] });
    expect(see(endpoint.run({ input })).error).toMatchObject({
      code: 'submission_unknown',
      accepted: 'unknown',
      cause: { message: 'a link broke' },
    });
  });

  test('S1 cause a SubmissionUnknownError when they unsubscribe from a submission in flight', () => {
    const hasty: Link = (request, next) =>
      race(next(request), timer(50, scheduler).pipe(switchMap(() => throwError(() => new TypeError('too slow')))));
    const { endpoint, scheduler, see, until } = script(() => 'never', { links: [hasty] });
    const seen = see(endpoint.run({ input }));
    until(50);
    expect(seen.error).toMatchObject({
      code: 'submission_unknown',
      accepted: 'unknown',
      cause: { message: 'too slow' },
    });
  });

  test('may repeat a call, but send nothing more once the call is abandoned', () => {
    const again: Link = (request, next) =>
      defer(() => next(request)).pipe(
        switchMap((reply) => (reply.status === 500 ? throwError(() => reply) : of(reply))),
        retry({ count: 5, delay: () => timer(1_000, scheduler) }),
      );
    const { scheduler, ...rest } = script((_, nth) => (nth % 3 ? { status: 500, after: 100 } : queued), {
      links: [again],
    });
    const { endpoint, sent, see, until, client } = rest;
    const seen = see(endpoint.run({ input }));
    until(10_000);
    expect(sent).toHaveLength(3);
    expect(seen.values).toHaveLength(1);
    const abandoned = see(endpoint.run({ input }));
    until(10_050);
    abandoned.subscription.unsubscribe();
    until(60_000);
    expect(sent.filter(({ operation }) => operation === 'run')).toHaveLength(4);
    expect(see(client.settled()).ended).toBe(60_000);
  });

  test.each<[string, Answer]>([
    ['refused', { status: 401 }],
    ['never connected', { phase: 'connect' }],
  ])('S1 that repeat a submission whose answer was lost: it may be accepted, though the last was %s', (_, last) => {
    const again: Link = (request, next) =>
      next(request).pipe(switchMap((reply) => (reply.status === 502 ? next(request) : of(reply))));
    const { endpoint, sent, see } = script((_request, nth) => (nth === 1 ? { status: 502 } : last), {
      links: [again],
      retry: false,
    });
    const seen = see(endpoint.run({ input }));
    expect(sent).toHaveLength(2);
    expect(seen.error).toMatchObject({ code: 'submission_unknown', accepted: 'unknown' });
  });

  test('also run for the cancel of an abandoned job', () => {
    const operations: string[] = [];
    const { endpoint, see, until } = world(
      { latency: 100 },
      {
        links: [(request, next) => (operations.push(request.operation), next(request))],
      },
    );
    see(endpoint.run({ input: { ms: 1e6 } })).subscription.unsubscribe();
    until(10_000);
    expect(operations).toEqual(['run', 'cancel']);
  });
});
