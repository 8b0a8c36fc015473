import { mergeMap, retry, throwError, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { RunpodError, abortWith, isRunpodError } from 'runpod-rx';
import type { Link, SettleReport } from 'runpod-rx';
import { script, type Answer, type Script } from '../support/world.js';

const input = { x: 1 };
const queued = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const cancelled = { body: { id: 'job-1', status: 'CANCELLED' } };

const requestsOf = (sent: Script['sent'], operation: string) =>
  sent.filter((request) => request.operation === operation);

/** The report of `settled()`; `undefined` while a submission or a cancel is pending. */
function settled({ client, see }: Pick<Script, 'client' | 'see'>): SettleReport | undefined {
  const seen = see(client.settled());
  seen.subscription.unsubscribe();
  return seen.values[0];
}

describe('S6 S19 a refusal', () => {
  test.each([
    [401, 'authentication'],
    [403, 'authentication'],
    [400, 'http'],
    [422, 'http'],
  ])('a %i from a gateway is not read as a job, even with an id and a status in its body', (status, code) => {
    const { endpoint, see } = script(() => ({
      status,
      body: { id: 'err_1', status: 'error', message: 'invalid key' },
    }));
    const run = see(endpoint.run({ input }));
    expect(run.values).toEqual([]);
    expect(run.error).toMatchObject({ code, status, accepted: 'no' });
    expect(see(endpoint.status('job-1')).error).toMatchObject({ code, status });
  });

  test('a 409 to a cancel whose body shows the job running: the cancel is repeated', () => {
    const refused: Answer = { status: 409, body: { id: 'job-1', status: 'IN_PROGRESS', error: 'cannot cancel now' } };
    const made = script(({ operation }) => {
      if (operation === 'run') return { ...queued, after: 100 };
      if (operation === 'status') return { body: { id: 'job-1', status: 'IN_PROGRESS' } };
      return requestsOf(made.sent, 'cancel').length < 4 ? refused : cancelled;
    });
    made.see(made.endpoint.run({ input })).subscription.unsubscribe();
    made.until(1_000);
    expect(settled(made)).toBeUndefined();
    made.until(100_000);
    expect(requestsOf(made.sent, 'cancel')).toHaveLength(4);
    expect(settled(made)).toMatchObject({ cancelled: [{ id: 'job-1' }] });
  });

  test.each(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'])(
    'a 400 whose body is a job with the status %s is read as that job',
    (status) => {
      const { endpoint, see } = script(() => ({ status: 400, body: { id: 'job-1', status, error: 'x' } }));
      expect(see(endpoint.run({ input })).values).toMatchObject([{ id: 'job-1', status }]);
    },
  );
});

describe('S3 a submission whose answer has an id but no status', () => {
  const bare = { body: { id: 'job-1' } };

  test('emits a job with the id and the status UNKNOWN', () => {
    const { endpoint, see } = script(() => bare);
    expect(see(endpoint.run({ input })).values).toMatchObject([{ id: 'job-1', status: 'UNKNOWN' }]);
    expect(see(endpoint.retry('job-1')).values).toMatchObject([{ id: 'job-1', status: 'UNKNOWN' }]);
  });

  test('is polled by runSync until the job ends', () => {
    const { endpoint, see, until } = script(({ operation }) =>
      operation === 'runsync' ? bare : { body: { id: 'job-1', status: 'COMPLETED', output: 1 } },
    );
    const seen = see(endpoint.runSync({ input }));
    until(10_000);
    expect(seen.values).toMatchObject([{ id: 'job-1', status: 'COMPLETED', output: 1 }]);
  });

  test('S5 has its job cancelled when it is abandoned', () => {
    const made = script(({ operation }) => (operation === 'cancel' ? cancelled : { ...bare, after: 100 }));
    made.see(made.endpoint.run({ input })).subscription.unsubscribe();
    made.until(1_000);
    expect(settled(made)).toMatchObject({ cancelled: [{ id: 'job-1' }] });
  });

  test('S19 is accepted, while a status read with the same answer errors', () => {
    const { endpoint, see } = script(() => bare, { retry: false });
    expect(see(endpoint.status('job-1')).error).toMatchObject({ code: 'response', jobId: 'job-1' });
  });
});

describe('S1 an error of runSync after its job was accepted is not retryable', () => {
  const running = { body: { id: 'job-1', status: 'IN_PROGRESS' } };

  test('an outage: repeating every retryable error submits one job', () => {
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
    expect(requestsOf(sent, 'runsync')).toHaveLength(1);
    expect(seen.error).toMatchObject({
      code: 'connection',
      operation: 'status',
      jobId: 'job-1',
      accepted: 'unknown',
      retryable: false,
    });
    expect((seen.error as Error).message).toBe((watcher.error as Error).message);
    // The same error of a watch is retryable: a read starts no job.
    expect(watcher.error).toMatchObject({ code: 'connection', retryable: true });
    expect(watcher.error).not.toHaveProperty('accepted');
  });

  test.each<[string, Answer]>([
    ['an answer that is not a job', { body: 'nonsense' }],
    ['a 503', { status: 503 }],
    ['a 429', { status: 429 }],
  ])('%s', (_, answer) => {
    const { endpoint, see, until } = script(({ operation }) => (operation === 'runsync' ? running : answer));
    const seen = see(endpoint.runSync({ input }, { outage: 3_000 }));
    until(200_000);
    expect(seen.error).toMatchObject({ jobId: 'job-1', accepted: 'unknown', retryable: false });
  });

  test('the timeout of the call', () => {
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

  test('S22 an error of a link is the cause, and an error of abortWith is passed on as it is', () => {
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
      const seen = see(endpoint.runSync({ input }, { outage: 3_000 }));
      until(10_000);
      return seen.error;
    });
    expect(first).toMatchObject({ code: 'response', jobId: 'job-1', cause: broken });
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
])(
  'S22 S3 S4 runSync does not cancel its job when %s ends the polling, and the error has the reference',
  (_, broken$) => {
    const { endpoint, sent, see, until } = script(
      ({ operation }) => (operation === 'cancel' ? cancelled : { body: { id: 'job-1', status: 'IN_PROGRESS' } }),
      { links: [(request, next) => (request.operation === 'status' ? broken$ : next(request))] },
    );
    const seen = see(endpoint.runSync({ input }, { outage: 3_000 }));
    until(10_000);
    expect(seen.error).toBeInstanceOf(RunpodError);
    expect(seen.error).toMatchObject({ jobId: 'job-1', ref: { endpointId: 'demo', id: 'job-1' } });
    expect(requestsOf(sent, 'cancel')).toEqual([]);
  },
);

test('S1 an answer to /run with an id and an error is not an accepted job', () => {
  const { endpoint, see, until } = script(() => ({ body: { id: 'req_1', error: 'endpoint has no workers' } }));
  const seen = see(endpoint.run({ input }));
  until(10_000);
  expect(seen.error).toMatchObject({
    code: 'submission_unknown',
    message: expect.stringContaining('endpoint has no workers') as unknown,
  });
});

test('S6 an abandoned job is cancelled by its id, though the service has no such ids', () => {
  const made = script(({ operation }) => ({
    body: { id: 'queue:1.2', status: operation === 'cancel' ? 'CANCELLED' : 'IN_QUEUE' },
    after: 10,
  }));
  made.see(made.endpoint.run({ input })).subscription.unsubscribe();
  made.until(1_000);
  expect(requestsOf(made.sent, 'cancel').map(({ url }) => url)).toEqual([
    'https://api.runpod.ai/v2/demo/cancel/queue%3A1.2',
  ]);
  expect(settled(made)).toMatchObject({ cancelled: [{ id: 'queue:1.2' }], abandoned: [] });
});

test.each(['..', 'a/b', '\ud800'])(
  'S6 S19 an abandoned submission whose answer has the id %j is lost: no request goes elsewhere for it',
  (id) => {
    const made = script(() => ({ body: { id, status: 'IN_QUEUE' }, after: 10 }));
    made.see(made.endpoint.run({ input })).subscription.unsubscribe();
    made.until(1_000);
    expect(made.sent).toHaveLength(1);
    expect(settled(made)).toMatchObject({
      cancelled: [],
      lost: [{ operation: 'run', reason: expect.stringContaining('by which no job can be asked for') as string }],
    });
    // The same id from the caller is refused.
    expect(made.see(made.endpoint.cancel(id)).error).toMatchObject({ code: 'validation' });
  },
);

test.each([undefined, null, {}])('S20 a submission of %j is refused with a ValidationError', (request) => {
  const { endpoint, sent, see } = script(() => queued);
  for (const call$ of [endpoint.run(request as never), endpoint.runSync(request as never)])
    expect(see(call$).error).toMatchObject({ code: 'validation', accepted: 'no', issues: [{ field: 'input' }] });
  expect(sent).toEqual([]);
});
