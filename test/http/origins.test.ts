import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Activity, CallOrigin, Endpoint } from 'runpod-rx';
import { script, world, type World } from '../support/world.js';

const input = { ms: 10_000 };

/** A world whose calls are listened to. */
function traced(options: Parameters<typeof world>[0] = {}) {
  const made = world(options);
  const calls: CallOrigin[] = [];
  made.client.calls$.subscribe((origin) => calls.push(origin));
  return { ...made, calls };
}

const lines = (activity: readonly Activity[], origin: CallOrigin) =>
  activity.filter((one) => one.origin === origin).map(({ type, operation }) => `${type} ${operation}`);

describe('calls$', () => {
  test('emits at the call of a method, not when its Observable is subscribed to', () => {
    const { endpoint, calls, see } = traced();
    const job = endpoint.job({ input }, { tag: 'mine' });
    expect(calls).toEqual([{ method: 'job', endpointId: 'demo', jobId: undefined, tag: 'mine' }]);
    see(job.state$);
    see(job.output$);
    expect(calls).toHaveLength(1);
  });

  test.each<[string, (endpoint: Endpoint) => unknown]>([
    ['run', (endpoint) => endpoint.run({ input })],
    ['runSync', (endpoint) => endpoint.runSync({ input })],
    ['runToEnd', (endpoint) => endpoint.runToEnd({ input })],
    ['status', (endpoint) => endpoint.status('job-1')],
    ['watch', (endpoint) => endpoint.watch('job-1')],
    ['watchToEnd', (endpoint) => endpoint.watchToEnd('job-1')],
    ['stream', (endpoint) => endpoint.stream('job-1')],
    ['cancel', (endpoint) => endpoint.cancel('job-1')],
    ['retry', (endpoint) => endpoint.retry('job-1')],
    ['health', (endpoint) => endpoint.health()],
    ['purgeQueue', (endpoint) => endpoint.purgeQueue()],
    ['request', (endpoint) => endpoint.request('health')],
    ['attach', (endpoint) => endpoint.attach('job-1')],
  ])('%s', (method, call) => {
    const { endpoint, calls } = traced();
    call(endpoint);
    expect(calls).toMatchObject([{ method, endpointId: 'demo' }]);
  });

  test('completes when the client is closed', () => {
    const { client, see, until } = traced();
    const seen = see(client.calls$);
    see(client.close());
    until(100);
    expect(seen.ended).toBeDefined();
  });
});

describe('the origin of activity', () => {
  test('of a job: its submission, its reads, whoever asks for them, its late cancel, and its end', () => {
    const { endpoint, calls, activity, see, until, emulator } = traced();
    const { subscription } = see(endpoint.job({ input: { ms: 100_000 } }).state$);
    until(3_000);
    const watch = see(endpoint.watch(emulator.jobs()[0]!.id));
    until(6_000);
    watch.subscription.unsubscribe();
    subscription.unsubscribe();
    until(20_000);
    const [job, other] = calls;
    const told = lines(activity, job!);
    expect(told.slice(0, 3)).toEqual(['request run', 'reply run', 'submitted run']);
    expect(told.filter((line) => line === 'request status').length).toBeGreaterThan(3);
    expect(told.slice(-5)).toEqual([
      'cancel cancel',
      'request cancel',
      'reply cancel',
      'ended cancel',
      'cancel cancel',
    ]);
    expect(lines(activity, other!)).toEqual([]);
    expect(activity.filter(({ origin }) => !origin)).toEqual([]);
  });

  test('of another caller’s own cancel is that caller', () => {
    const { endpoint, calls, activity, see, until, emulator } = traced();
    see(endpoint.job({ input: { ms: 100_000 } }).state$);
    until(3_000);
    see(endpoint.cancel(emulator.jobs()[0]!.id));
    until(10_000);
    expect(lines(activity, calls[1]!)).toEqual(['request cancel', 'reply cancel', 'ended cancel']);
  });

  test.each(['runToEnd', 'runSync', 'run'] as const)('of an abandoned %s has its cancel', (method) => {
    const { endpoint, calls, activity, see, until } = traced({ latency: 200 });
    const { subscription } = see(endpoint[method]({ input: { ms: 500_000 } }));
    until(100);
    subscription.unsubscribe();
    until(200_000);
    expect(lines(activity, calls[0]!).filter((line) => line.includes('cancel')).length).toBeGreaterThan(1);
    expect(activity.filter(({ origin }) => origin !== calls[0])).toEqual([]);
  });

  test('is nowhere while nobody listens to calls$', () => {
    const { endpoint, activity, see, until } = world();
    see(endpoint.job({ input }).output$);
    until(60_000);
    expect(activity.filter((one) => 'origin' in one)).toEqual([]);
  });
});

describe('ended', () => {
  const ends = ({ activity }: Pick<World, 'activity'>) => activity.filter(({ type }) => type === 'ended');

  test('comes once, with the times that the service tells', () => {
    const made = world();
    made.see(made.endpoint.job({ input }, { tag: 'mine' }).state$);
    made.until(30_000);
    made.see(made.endpoint.status(made.emulator.jobs()[0]!.id));
    made.until(60_000);
    expect(ends(made)).toMatchObject([{ status: 'COMPLETED', queueTime: 0, executionTime: 10_000, tag: 'mine' }]);
  });

  test('comes for a job that is only streamed', () => {
    const made = world({ endpoints: { demo: { handler: () => ['a', 'b'].values() } } });
    made.see(made.endpoint.job({ input }).chunks$);
    made.until(60_000);
    expect(ends(made)).toMatchObject([{ status: 'COMPLETED' }]);
  });

  test('comes again for another run', () => {
    const made = world({ endpoints: { demo: { handler: () => ({ error: 'no' }) } } });
    made.see(made.endpoint.job({ input }).state$);
    made.until(10_000);
    const { id } = made.emulator.jobs()[0]!;
    made.see(made.endpoint.retry(id));
    made.see(made.endpoint.watch(id));
    made.until(60_000);
    expect(ends(made)).toHaveLength(2);
  });
});

describe('detached', () => {
  const detached = ({ activity }: Pick<World, 'activity'>) => activity.filter(({ type }) => type === 'detached').length;

  test('comes where a job goes on that nobody follows', () => {
    const made = world();
    const job = made.endpoint.job({ input: { ms: 100_000 } });
    made.see(job.state$);
    made.until(3_000);
    expect(detached(made)).toBe(0);
    job.detach().subscribe();
    expect(detached(made)).toBe(1);
  });

  test('comes not for a job that is cancelled, or over', () => {
    const made = world();
    const { subscription } = made.see(made.endpoint.job({ input: { ms: 100_000 } }).state$);
    made.see(made.endpoint.job({ input }).output$);
    made.until(3_000);
    subscription.unsubscribe();
    made.until(60_000);
    expect(detached(made)).toBe(0);
  });
});

test('error: the last word on a call, with its code', () => {
  const { endpoint, activity, see, until } = script(() => ({ status: 500, body: {} }));
  see(endpoint.run({ input }));
  see(endpoint.status('job-1'));
  until(600_000);
  expect(activity.filter(({ type }) => type === 'error')).toMatchObject([
    { operation: 'run', code: 'submission_unknown', accepted: 'unknown' },
    { operation: 'status', code: 'http' },
  ]);
});

describe('aroundSend', () => {
  test('runs around each request, the first outermost, until it is taken back', () => {
    const { client, endpoint, sent, see, until } = script(() => ({ body: { jobs: {}, workers: {} } }));
    const order: string[] = [];
    const around = (name: string) =>
      client.aroundSend(({ operation, method, path, attempt }, send) => {
        order.push(`${name} ${operation} ${method} ${path} ${attempt}`);
        send();
        order.push(`${name} after ${sent.length}`);
      });
    const first = around('a');
    around('b');
    see(endpoint.health());
    expect(order).toEqual(['a health GET /demo/health 1', 'b health GET /demo/health 1', 'b after 1', 'a after 1']);
    first.unsubscribe();
    see(endpoint.health());
    until(100);
    expect(order.filter((line) => line.startsWith('a'))).toHaveLength(2);
  });

  test.each<[string, (send: () => void) => void]>([
    ['does not send', () => undefined],
    ['sends twice', (send) => [send, send].forEach((act) => act())],
    [
      'throws',
      () => {
        throw new Error('broken tracer');
      },
    ],
    [
      'sends, and throws',
      (send) => {
        send();
        throw new Error('broken tracer');
      },
    ],
  ])('S1 a function that %s costs no request, and sends none twice', (_, act) => {
    const scheduler = new VirtualTimeScheduler();
    const { client, endpoint, sent, see, until } = script(() => ({ body: { id: 'job-1', status: 'COMPLETED' } }), {
      scheduler,
    });
    client.aroundSend((_request, send) => {
      act(send);
    });
    const seen = see(endpoint.run({ input }));
    until(100);
    expect([sent.length, seen.error]).toEqual([1, undefined]);
  });
});
