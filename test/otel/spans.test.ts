import { SpanKind, SpanStatusCode, type Attributes } from '@opentelemetry/api';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { Subject, firstValueFrom, lastValueFrom, map, throwError, timer } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createRunpod, failover, hedge, runAll, runEach, runpod, type Runpod } from 'runpod-rx';
import { durable, memoryStore } from 'runpod-rx/durable';
import { startEmulator } from 'runpod-rx/emulator';
import { instrument } from 'runpod-rx/otel';
import { createEmulator, type Emulator } from 'runpod-rx/testing';
import { undiciTransport } from '../../src/undici.js';
import { ATTR } from '../../src/otel/attributes.js';
import { demo, world } from '../support/world.js';
import { parentsOf, tracing } from './support.js';

const KEY = 'test-key-placeholder';

/** A client over real connections to an emulator. */
async function onWire(how: 'axios' | 'undici' = 'axios'): Promise<{ client: Runpod; emulator: Emulator }> {
  const emulator = await startEmulator({
    endpoints: {
      demo: {
        workers: { min: 60, max: 60 },
        handler: ({ input }, { delay }) => (input.forever ? delay(3_600_000) : delay(300)),
      },
    },
    keys: [KEY],
  });
  onTestFinished(() => emulator.close());
  const options = { apiKey: KEY, baseUrl: emulator.baseUrl };
  const client = how === 'axios' ? runpod(options) : createRunpod({ ...options, transport: undiciTransport() });
  onTestFinished(async () => {
    await firstValueFrom(client.close());
  });
  return { client, emulator };
}

const isHttp = ({ kind, attributes }: { kind: SpanKind; attributes: Attributes }) =>
  kind === SpanKind.CLIENT && ATTR.httpMethod in attributes;

describe.each([
  ['undici’s and http’s instrumentation on', true, 'axios'],
  ['undici’s and http’s instrumentation on, and undiciTransport', true, 'undici'],
  ['no other instrumentation', false, 'axios'],
] as const)('with %s', (_, instrumented, how) => {
  test('of 50 jobs of 50 callers no span has a wrong parent, and no request has two', async () => {
    const { client, emulator } = await onWire(how);
    const { tracer, spans, as } = tracing({ instrumented });
    const tracing$ = instrument(client, { tracer });
    const endpoint = client.endpoint('demo');
    const callers = Array.from({ length: 50 }, (_, nth) => `caller ${nth}`);
    await Promise.all(
      callers.map((name) => {
        const job = as(name, () => endpoint.job({ input: { name } }, { tag: name, every: 100 }));
        return lastValueFrom(job.state$);
      }),
    );
    tracing$.unsubscribe();
    const all = spans();
    // The server's side of the requests is in this process, too.
    const requests = emulator.requests().filter(({ status }) => status !== undefined);
    const ours = all.filter((span) => isHttp(span));
    const jobs = all.filter(({ kind }) => kind === SpanKind.PRODUCER);
    expect(jobs).toHaveLength(50);
    expect(new Set(jobs.map((span) => String(parentsOf(span, all)[0])))).toEqual(new Set(callers));
    for (const job of jobs) expect(parentsOf(job, all)).toEqual([job.attributes['runpod.job.tag']]);
    expect(ours).toHaveLength(requests.length);
    // Each request is that of the job whose span is its parent.
    const idOf = new Map(jobs.map((span) => [span.spanContext().spanId, span.attributes[ATTR.messageId]]));
    const asked = ours.map((span) => {
      const path = String(span.attributes[ATTR.urlPath] ?? '');
      return [path, idOf.get(span.parentSpanContext?.spanId ?? '')] as const;
    });
    expect(asked.filter(([, id]) => id === undefined)).toEqual([]);
    expect(asked.filter(([path, id]) => !path.endsWith('/run') && !path.endsWith(String(id)))).toEqual([]);
  });

  test('a job created under A and subscribed under B belongs to A, with its reads and its late cancel', async () => {
    const { client, emulator } = await onWire(how);
    const { tracer, spans, as } = tracing({ instrumented });
    const tracing$ = instrument(client, { tracer });
    const job = as('A', () => client.endpoint('demo').job({ input: { forever: true } }, { every: 50 }));
    const view = as('B', () => job.state$.subscribe());
    await vi.waitUntil(() => emulator.requests().filter(({ operation }) => operation === 'status').length > 2, 100_000);
    as('C', () => {
      view.unsubscribe();
    });
    await firstValueFrom(client.settled());
    await firstValueFrom(timer(0));
    tracing$.unsubscribe();
    const all = spans();
    const requests = all.filter((span) => isHttp(span));
    const paths = requests.map(({ attributes }) => String(attributes[ATTR.urlPath]).replace(/.*demo\/(\w+).*/, '$1'));
    expect(new Set(paths)).toEqual(new Set(['run', 'status', 'cancel']));
    for (const span of requests) expect(parentsOf(span, all)).toEqual(['run demo', 'A']);
    const [own] = all.filter(({ kind }) => kind === SpanKind.PRODUCER);
    expect(own).toMatchObject({ attributes: { 'runpod.job.status': 'CANCELLED' } });
  });
});

/** On a virtual clock, without HTTP. */
function virtual(options: Parameters<typeof world>[0] = {}, client: Parameters<typeof world>[1] = {}) {
  const made = world(options, client);
  const traced = tracing();
  const subscription = instrument(made.client, { tracer: traced.tracer });
  const jobSpans = () => traced.spans().filter(({ kind }) => kind === SpanKind.PRODUCER);
  return { ...made, ...traced, jobSpans, subscription };
}

const input = { ms: 10_000 };
const time = ([seconds, nanos]: [number, number]) => seconds * 1000 + nanos / 1e6;

describe('the span of a job', () => {
  test('tells its times, and lasts from the submission to the end', () => {
    const { endpoint, see, until, jobSpans, emulator } = virtual();
    see(endpoint.job({ input }, { tag: 'mine' }).output$);
    until(60_000);
    const [span, ...others] = jobSpans();
    expect(others).toEqual([]);
    expect(span).toMatchObject({
      name: 'run demo',
      status: { code: SpanStatusCode.UNSET },
      attributes: {
        'messaging.system': 'runpod',
        'messaging.operation.type': 'send',
        'messaging.operation.name': 'run',
        'messaging.destination.name': 'demo',
        'messaging.message.id': emulator.jobs()[0]!.id,
        'runpod.method': 'job',
        'runpod.job.tag': 'mine',
        'runpod.job.status': 'COMPLETED',
        'runpod.job.queue_time': 0,
        'runpod.job.execution_time': 10,
      },
    });
    expect([time(span!.startTime), Math.floor(time(span!.endTime) / 1000)]).toEqual([0, 10]);
  });

  test('begins when the submission begins to wait for its turn', () => {
    const { endpoint, see, until, jobSpans } = virtual({}, { limits: { run: { requests: 1, per: 5_000 } } });
    see(endpoint.job({ input }).output$);
    see(endpoint.job({ input }).output$);
    until(60_000);
    const [first, second] = jobSpans();
    expect([time(first!.startTime), time(second!.startTime)]).toEqual([0, 0]);
    expect(time(second!.endTime)).toBeGreaterThan(14_000);
  });

  test.each([
    ['FAILED', { endpoints: { demo: { handler: () => ({ error: 'no' }) } } }, 'FAILED'],
    ['refused', { keys: ['another'] }, 'authentication'],
    ['lost', { faults: [{ fault: 'reset-after', on: 'run' }] }, 'submission_unknown'],
  ] as const)('is an error where the job is %s', (_, options, type) => {
    const { endpoint, see, until, jobSpans } = virtual(options);
    see(endpoint.job({ input }).output$);
    until(60_000);
    expect(jobSpans()).toMatchObject([{ status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': type } }]);
  });

  test('is an error where the service does not know the job any more', () => {
    const { endpoint, see, until, jobSpans } = virtual({
      endpoints: { demo: { ...demo, retention: { run: 10_000 } } },
    });
    const seen = see(endpoint.job({ input: { ms: 1_000 } }, { every: 60_000 }).state$);
    until(300_000);
    expect(seen.error).toMatchObject({ code: 'job_expired' });
    expect(jobSpans()).toMatchObject([
      { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'job_expired' } },
    ]);
  });

  test.each(['runToEnd', 'runSync', 'run'] as const)('of %s', (method) => {
    const { endpoint, see, until, jobSpans } = virtual();
    see(endpoint[method]({ input }));
    until(60_000);
    const [span] = jobSpans();
    expect(span).toMatchObject({ attributes: { 'runpod.method': method } });
    // What `run` submits is the caller's to follow.
    expect(span!.attributes['runpod.job.status']).toBe(method === 'run' ? undefined : 'COMPLETED');
  });

  test('ends where the job is detached, or nobody traces any more', () => {
    const { endpoint, see, until, jobSpans, subscription } = virtual();
    const job = endpoint.job({ input: { ms: 500_000 } });
    see(job.state$);
    see(endpoint.job({ input: { ms: 500_000 } }).state$);
    until(3_000);
    job.detach().subscribe();
    expect(jobSpans()).toHaveLength(1);
    subscription.unsubscribe();
    expect(jobSpans()).toHaveLength(2);
  });

  test('ends when the client is closed, after its cancel', () => {
    const { endpoint, client, see, until, jobSpans, spans } = virtual();
    see(endpoint.job({ input: { ms: 500_000 } }).state$);
    until(3_000);
    see(client.close());
    until(10_000);
    expect(jobSpans()).toMatchObject([{ attributes: { 'runpod.job.status': 'CANCELLED' } }]);
    expect(spans().some(({ attributes }) => String(attributes['url.path']).includes('cancel'))).toBe(true);
  });
});

describe('the jobs of a pipeline belong to', () => {
  const five = Array.from({ length: 5 }, (_, nth) => ({ input: { nth, ms: 1_000 } }));
  /** What the parents of all jobs are, once all have ended. */
  const parents = ({ jobSpans, spans }: ReturnType<typeof virtual>) =>
    jobSpans().map((span) => parentsOf(span, spans()).join());

  test('who calls runAll, whoever subscribes, and whenever a slot is free', () => {
    const made = virtual();
    const items$ = made.as('A', () => runAll(made.endpoint, five, { concurrency: 1, scheduler: made.scheduler }));
    made.as('B', () => items$.subscribe());
    made.as('C', () => {
      made.scheduler.flush();
    });
    expect(parents(made)).toEqual(Array(5).fill('A'));
  });

  test('who gives an input to runEach', () => {
    const made = virtual();
    const inputs$ = new Subject<(typeof five)[number]>();
    made.as('A', () => inputs$.pipe(runEach(made.endpoint, { concurrency: 1, scheduler: made.scheduler })).subscribe());
    five.forEach((request, nth) => {
      made.as(`caller ${nth}`, () => {
        inputs$.next(request);
      });
    });
    inputs$.complete();
    made.as('C', () => {
      made.scheduler.flush();
    });
    expect(parents(made)).toEqual(five.map((_, nth) => `caller ${nth}`));
  });

  test('the same caller where hedge and failover submit them, and where a store is asked before', () => {
    const made = virtual();
    const { endpoint, scheduler } = made;
    const hedged = hedge(endpoint, { after: 100, on: () => true, scheduler });
    const failing = failover([() => throwError(() => new Error('not this one')), hedged], {
      on: () => true,
      scheduler,
    });
    const durably = durable(endpoint, {
      store: { ...memoryStore(), get: () => timer(50, scheduler).pipe(map(() => undefined)) },
      key: ({ input: { nth } }) => String(nth),
      scheduler,
    });
    for (const runner of [failing, durably])
      made.as('A', () => runAll(runner, five, { concurrency: 2, scheduler })).subscribe();
    made.as('C', () => {
      scheduler.flush();
    });
    // Five are hedged, and so have two jobs each.
    expect(parents(made)).toEqual(Array(15).fill('A'));
  });
});

test('a request that is repeated has a span for each attempt', () => {
  const { endpoint, see, until, spans } = virtual({ faults: [{ fault: 'html-502', on: 'health', nth: 1 }] });
  see(endpoint.health());
  until(60_000);
  expect(spans().map(({ name, attributes, status }) => [name, attributes, status.code])).toEqual([
    ['GET', expect.objectContaining({ 'http.response.status_code': 502, 'error.type': '502' }), SpanStatusCode.ERROR],
    [
      'GET',
      expect.objectContaining({ 'http.response.status_code': 200, 'http.request.resend_count': 1 }),
      SpanStatusCode.UNSET,
    ],
  ]);
});

test('what no caller asked for belongs to nobody', () => {
  const { endpoint, see, until, spans, as } = virtual();
  as('A', () => see(endpoint.watchHealth({ every: 1_000 })));
  until(3_500);
  const health = spans().filter(({ attributes }) => String(attributes['url.path']).includes('health'));
  expect(health.length).toBeGreaterThan(2);
  for (const span of health) expect(parentsOf(span, spans())).toEqual([]);
});

test('names are those of the package of semantic conventions', () => {
  const known = new Set(Object.values(conventions as Readonly<Record<string, unknown>>));
  expect(Object.values(ATTR).filter((name) => !known.has(name))).toEqual([]);
  expect(conventions.MESSAGING_OPERATION_TYPE_VALUE_SEND).toBe('send');
});

test('options that cannot work are refused', () => {
  const client = createRunpod({ transport: createEmulator({ endpoints: {} }).transport, apiKey: KEY });
  expect(() => instrument(client, { tracer: {} as never })).toThrow(/tracer .*Tracer/);
  expect(() => instrument(client, { meters: {} } as never)).toThrow(/meters .*meter/);
});
