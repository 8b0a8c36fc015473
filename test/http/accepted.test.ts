import { mergeMap, retry, throwError, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { abortWith, isRunpodError } from 'runpod-rx';
import type { Link, SettleReport } from 'runpod-rx';
import { script, type Answer, type Script } from '../support/world.js';

const input = { x: 1 };
const queued = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const cancelled = { body: { id: 'job-1', status: 'CANCELLED' } };

const operations = (sent: Script['sent'], operation: string) => sent.filter((one) => one.operation === operation);

/** What `settled()` says now; nothing while something is outstanding. */
function settled({ client, see }: Pick<Script, 'client' | 'see'>): SettleReport | undefined {
  const seen = see(client.settled());
  seen.subscription.unsubscribe();
  return seen.values[0];
}

describe('S6 S19 a refusal is no job, whatever its body looks like', () => {
  test.each([
    [401, 'authentication'],
    [403, 'authentication'],
    [400, 'http'],
    [422, 'http'],
  ])('a %i of a gateway, with an id and a status of its own', (status, code) => {
    const { endpoint, see } = script(() => ({
      status,
      body: { id: 'err_1', status: 'error', message: 'invalid key' },
    }));
    const run = see(endpoint.run({ input }));
    expect(run.values).toEqual([]);
    expect(run.error).toMatchObject({ code, status, accepted: 'no' });
    expect(see(endpoint.status('job-1')).error).toMatchObject({ code, status });
  });

  test('a 409 to a cancel, which shows the job running: the job that was left is cancelled again', () => {
    const refused: Answer = { status: 409, body: { id: 'job-1', status: 'IN_PROGRESS', error: 'cannot cancel now' } };
    const made = script(({ operation }) => {
      if (operation === 'run') return { ...queued, after: 100 };
      if (operation === 'status') return { body: { id: 'job-1', status: 'IN_PROGRESS' } };
      return operations(made.sent, 'cancel').length < 4 ? refused : cancelled;
    });
    made.see(made.endpoint.run({ input })).subscription.unsubscribe();
    made.until(1_000);
    expect(settled(made)).toBeUndefined();
    made.until(100_000);
    expect(operations(made.sent, 'cancel')).toHaveLength(4);
    expect(settled(made)).toMatchObject({ cancelled: [{ id: 'job-1' }] });
  });

  test.each(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'])('a 400 with a job that is %s is that job', (status) => {
    const { endpoint, see } = script(() => ({ status: 400, body: { id: 'job-1', status, error: 'x' } }));
    expect(see(endpoint.run({ input })).values).toMatchObject([{ id: 'job-1', status }]);
  });
});

describe('S3 an answer to a submission that has an id and no status', () => {
  const bare = { body: { id: 'job-1' } };

  test('is a job, whose id is not lost', () => {
    const { endpoint, see } = script(() => bare);
    expect(see(endpoint.run({ input })).values).toMatchObject([{ id: 'job-1', status: 'UNKNOWN' }]);
    expect(see(endpoint.retry('job-1')).values).toMatchObject([{ id: 'job-1', status: 'UNKNOWN' }]);
  });

  test('is watched by runSync to its end', () => {
    const { endpoint, see, until } = script(({ operation }) =>
      operation === 'runsync' ? bare : { body: { id: 'job-1', status: 'COMPLETED', output: 1 } },
    );
    const seen = see(endpoint.runSync({ input }));
    until(10_000);
    expect(seen.values).toMatchObject([{ id: 'job-1', status: 'COMPLETED', output: 1 }]);
  });

  test('S5 is cancelled where it was left', () => {
    const made = script(({ operation }) => (operation === 'cancel' ? cancelled : { ...bare, after: 100 }));
    made.see(made.endpoint.run({ input })).subscription.unsubscribe();
    made.until(1_000);
    expect(settled(made)).toMatchObject({ cancelled: [{ id: 'job-1' }] });
  });

  test('S19 is no answer to a read', () => {
    const { endpoint, see } = script(() => bare, { retry: false });
    expect(see(endpoint.status('job-1')).error).toMatchObject({ code: 'response', jobId: 'job-1' });
  });
});

describe('S1 what ends runSync once its job is accepted is not retryable', () => {
  const running = { body: { id: 'job-1', status: 'IN_PROGRESS' } };

  test('an outage: who submits again whatever is retryable pays once', () => {
    const { endpoint, scheduler, sent, see, until } = script(({ operation }) =>
      operation === 'runsync' ? running : { phase: 'sent' },
    );
    const watcher = see(endpoint.watch('job-1', { outage: 3_000 }));
    const seen = see(
      endpoint.runSync({ input }, { outage: 3_000 }).pipe(
        retry({
          count: 2,
          delay: (error) =>
            isRunpodError(error) && error.retryable ? timer(1_000, scheduler) : throwError(() => error as Error),
        }),
      ),
    );
    until(200_000);
    expect(operations(sent, 'runsync')).toHaveLength(1);
    expect(seen.error).toMatchObject({
      code: 'connection',
      operation: 'status',
      jobId: 'job-1',
      accepted: 'unknown',
      retryable: false,
    });
    expect((seen.error as Error).message).toBe((watcher.error as Error).message);
    // Who only reads may read again.
    expect(watcher.error).toMatchObject({ code: 'connection', retryable: true });
    expect(watcher.error).not.toHaveProperty('accepted');
  });

  test.each<[string, Answer]>([
    ['an answer that is no job', { body: 'nonsense' }],
    ['a 503', { status: 503 }],
    ['a 429', { status: 429 }],
  ])('%s', (_, answer) => {
    const { endpoint, see, until } = script(({ operation }) => (operation === 'runsync' ? running : answer));
    const seen = see(endpoint.runSync({ input }, { outage: 3_000 }));
    until(200_000);
    expect(seen.error).toMatchObject({ jobId: 'job-1', accepted: 'unknown', retryable: false });
  });

  test('its timeout', () => {
    const { endpoint, see, until } = script(() => running);
    const seen = see(endpoint.runSync({ input }, { timeout: 3_000 }));
    until(3_000);
    expect(seen).toMatchObject({ ended: 3_000 });
    expect(seen.error).toMatchObject({
      code: 'request_timeout',
      jobId: 'job-1',
      accepted: 'unknown',
      retryable: false,
    });
  });

  test('an error of a link goes through as it is, an abort by the library’s own operator as well', () => {
    const broken = new TypeError('a link broke');
    const reason = new Error('enough');
    const links: [unknown, Link][] = [
      [broken, (request, next) => next(request).pipe(mergeMap(() => throwError(() => broken)))],
      [reason, (request, next) => next(request).pipe(abortWith(AbortSignal.abort(reason)))],
    ];
    const [first, second] = links.map(([, link]) => {
      const { endpoint, see, until } = script(() => running, {
        links: [(request, next) => (request.operation === 'status' ? link(request, next) : next(request))],
      });
      const seen = see(endpoint.runSync({ input }));
      until(10_000);
      return seen.error;
    });
    expect(first).toBe(broken);
    expect(second).toMatchObject({
      name: 'AbortError',
      code: 'aborted',
      cause: reason,
      message: 'abortWith was aborted',
    });
  });
});

test.each([
  ['a link that throws', throwError(() => new TypeError('a link broke'))],
  ['a link that is aborted', throwError(() => new Error('enough')).pipe(abortWith(AbortSignal.abort()))],
])('S3 S4 a runSync whose watching ends in an error without the job’s id, by %s, is cancelled', (_, broken$) => {
  const { endpoint, sent, see, until } = script(
    ({ operation }) => (operation === 'cancel' ? cancelled : { body: { id: 'job-1', status: 'IN_PROGRESS' } }),
    { links: [(request, next) => (request.operation === 'status' ? broken$ : next(request))] },
  );
  const seen = see(endpoint.runSync({ input }));
  until(10_000);
  expect(seen.error).toBeInstanceOf(Error);
  expect(operations(sent, 'cancel')).toHaveLength(1);
});

test('S1 an answer to /run with an id and an error is no accepted job', () => {
  const { endpoint, see, until } = script(() => ({ body: { id: 'req_1', error: 'endpoint has no workers' } }));
  const seen = see(endpoint.run({ input }));
  until(10_000);
  expect(seen.error).toMatchObject({
    code: 'submission_unknown',
    message: expect.stringContaining('endpoint has no workers') as unknown,
  });
});

test('S6 a job whose id is like none of the service’s is cancelled by it all the same', () => {
  const made = script(({ operation }) => ({
    body: { id: 'a:b/c', status: operation === 'cancel' ? 'CANCELLED' : 'IN_QUEUE' },
    after: 10,
  }));
  made.see(made.endpoint.run({ input })).subscription.unsubscribe();
  made.until(1_000);
  expect(operations(made.sent, 'cancel').map(({ url }) => url)).toEqual([
    'https://api.runpod.ai/v2/demo/cancel/a%3Ab%2Fc',
  ]);
  expect(settled(made)).toMatchObject({ cancelled: [{ id: 'a:b/c' }], abandoned: [] });
  // Of the caller such an id is still a mistake.
  expect(made.see(made.endpoint.cancel('a:b/c')).error).toMatchObject({ code: 'validation' });
});

test.each([undefined, null, {}])('S20 a submission of %j is refused in words', (request) => {
  const { endpoint, sent, see } = script(() => queued);
  for (const call$ of [endpoint.run(request as never), endpoint.runSync(request as never)])
    expect(see(call$).error).toMatchObject({ code: 'validation', accepted: 'no', issues: [{ field: 'input' }] });
  expect(sent).toEqual([]);
});
