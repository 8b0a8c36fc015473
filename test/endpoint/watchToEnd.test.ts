import { NEVER, config, firstValueFrom, of } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { JobNotFoundError, createRunpod, type JobSnapshot, type Transport, type TransportRequest } from 'runpod-rx';
import { script, world } from '../support/world.js';

test.each(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'])(
  'watchToEnd emits the terminal snapshot alone, %s or other, and completes',
  (end) => {
    const states = ['IN_QUEUE', 'IN_PROGRESS', end];
    const { endpoint, see, until } = script((_, nth) => ({ body: { id: 'j', status: states[Math.min(nth, 2)] } }));
    const seen = see(endpoint.watchToEnd('j'));
    until(600_000);
    expect(seen.values.map(({ status }) => status)).toEqual([end]);
    expect(seen.error).toBeUndefined();
    expect(seen.ended).toBeDefined();
  },
);

test('a job that was just submitted is not read at once, and its end is told by a held read', () => {
  const { endpoint, see, until, wire } = world();
  let job: JobSnapshot | undefined;
  endpoint.run({ input: { ms: 3_000 } }).subscribe((answer) => (job = answer));
  until(1);
  const seen = see(endpoint.watchToEnd(job as JobSnapshot));
  until(2);
  expect(wire('status', 'status-sync')).toEqual([]);
  until(600_000);
  expect(seen.values.map(({ status }) => status)).toEqual(['COMPLETED']);
  expect(seen.ended).toBeDefined();
  expect(wire('status-sync').length).toBeGreaterThan(0);
});

test('a snapshot that is terminal already is the end, and nothing is sent', () => {
  const { endpoint, see, sent } = script(() => ({}));
  const job = {
    id: 'j',
    status: 'COMPLETED',
    rawStatus: 'COMPLETED',
    raw: { id: 'j', status: 'COMPLETED' },
    output: 1,
  } as const;
  expect(see(endpoint.watchToEnd(job)).values).toEqual([job]);
  expect(sent).toEqual([]);
});

test('watchToEnd errors as watch does', () => {
  const { endpoint, see, until } = script(() => ({ status: 404, body: { error: 'job not found' } }));
  const seen = see(endpoint.watchToEnd('gone'));
  until(1_000);
  expect(seen.error).toBeInstanceOf(JobNotFoundError);
  expect(see(endpoint.watchToEnd('gone', { evry: 1 } as never)).error).toMatchObject({ code: 'validation' });
});

test('unsubscribing aborts the read, and does nothing to the job', () => {
  const { endpoint, see, until, sent } = script(() => 'never');
  const { subscription } = see(endpoint.watchToEnd('j'));
  until(10);
  subscription.unsubscribe();
  until(60_000);
  expect(sent.map(({ operation, aborted }) => [operation, aborted])).toEqual([['status', 10]]);
});

test('onReply is told the answer as it came, whatever its status, without the key', () => {
  const { endpoint, see, until } = script(
    ({ operation }) =>
      operation === 'run'
        ? { status: 400, body: { error: 'the key key-placeholder is wrong' }, headers: { 'x-a': 'key-placeholder' } }
        : { body: { id: 'j', status: 'IN_QUEUE' } },
    { apiKey: 'key-placeholder' },
  );
  const replies: unknown[] = [];
  const onReply = (reply: unknown) => replies.push(reply);
  see(endpoint.run({ input: { a: 1 } }, { onReply }));
  see(endpoint.status('j', { onReply }));
  see(endpoint.cancel('j', { onReply }));
  until(1_000);
  expect(replies).toEqual([
    { status: 400, headers: { 'x-a': '***' }, text: '{"error":"the key *** is wrong"}' },
    { status: 200, headers: {}, text: '{"id":"j","status":"IN_QUEUE"}' },
    { status: 200, headers: {}, text: '{"id":"j","status":"IN_QUEUE"}' },
  ]);
});

test('what onReply throws is reported, and changes nothing', () => {
  const reported: unknown[] = [];
  config.onUnhandledError = (error) => reported.push(error);
  onTestFinished(() => {
    config.onUnhandledError = null;
  });
  const { endpoint, see, until } = script(() => ({ body: { id: 'j', status: 'IN_QUEUE' } }));
  const mistake = new Error('mine');
  const seen = see(
    endpoint.run(
      { input: { a: 1 } },
      {
        onReply: () => {
          throw mistake;
        },
      },
    ),
  );
  until(1_000);
  expect(seen.values).toHaveLength(1);
  expect(reported).toEqual([mistake]);
});

test('an isolated client shares no limits, no reads and no end with the first, but its options and its transport', async () => {
  let closings = 0;
  const transport: Transport = Object.assign(() => NEVER, { close: () => of((closings += 1)) });
  const asked: string[] = [];
  const recording = Object.assign(
    (request: TransportRequest) => {
      asked.push(request.operation);
      return transport(request);
    },
    { close: () => transport.close?.() ?? [] },
  );
  const client = createRunpod({ transport: recording, apiKey: 'key', limits: { status: { requests: 1 } } });
  const other = client.isolated();
  const ignore = { error: () => undefined };
  client.endpoint('demo').status('j').subscribe(ignore);
  other.endpoint('demo').status('j').subscribe(ignore);
  expect(asked).toEqual(['status', 'status']);
  await firstValueFrom(other.close());
  expect(closings).toBe(0);
  client.endpoint('demo').health().subscribe(ignore);
  expect(asked).toEqual(['status', 'status', 'health']);
  await firstValueFrom(client.close());
  expect(closings).toBe(1);
});
