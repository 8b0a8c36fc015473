import { interval, map, take } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { StreamOptions } from 'runpod-rx';
import type { EmulatedEndpoint, EmulatorOptions, FaultRule } from 'runpod-rx/testing';
import { script, world, type Answer } from '../support/world.js';

const input = { x: 1 };

/** A chunk every 100 ms, ten in all: 0 to 9. */
const ten: EmulatedEndpoint = {
  stream: true,
  handler: (_, { scheduler }) => interval(100, scheduler).pipe(take(10)),
};
const numbers = Array.from({ length: 10 }, (_, n) => n);

function streaming(demo: EmulatedEndpoint = ten, options: Partial<EmulatorOptions> = {}) {
  const made = world({ endpoints: { demo }, ...options });
  const run = made.see(made.endpoint.run({ input }));
  if (options.latency) made.until(Number(options.latency));
  return { ...made, id: run.values[0]!.id };
}

describe('S14 a stream', () => {
  test('sends one held request after another, until an empty answer follows the terminal status', () => {
    const { endpoint, emulator, id, see, until } = streaming();
    const seen = see(endpoint.stream(id));
    until(60_000);
    expect(seen.values).toEqual(numbers);
    expect(seen.at).toEqual(numbers.map((n) => 100 * (n + 1)));
    expect(seen.ended).toBe(1_000);
    const reads = emulator.requests().filter(({ operation }) => operation === 'stream');
    expect(reads.map(({ at, endedAt }) => [at, endedAt])).toEqual([
      ...numbers.map((n) => [100 * n, 100 * (n + 1)]),
      [1_000, 1_000],
    ]);
    expect(emulator.requests()).toHaveLength(1 + reads.length);
  });

  test('is cold, and sends wait in its query', () => {
    const { endpoint, emulator, id, see, until } = streaming();
    const stream$ = endpoint.stream(id, { wait: 2_000 });
    until(5_000);
    expect(emulator.requests()).toHaveLength(1);
    see(stream$);
    until(60_000);
    expect(emulator.requests()[1]!.path).toBe(`/v2/demo/stream/${id}?wait=2000`);
  });

  test('has one reader: a second reader errors, sends nothing and does not disturb the first', () => {
    const { client, endpoint, emulator, id, see, until, wire } = streaming();
    const first = see(endpoint.stream(id));
    until(250);
    const sent = wire('stream').length;
    const second = see(client.endpoint('demo').stream(id));
    expect(second.error).toMatchObject({ code: 'stream_in_use', jobId: id, endpointId: 'demo' });
    expect(wire('stream')).toHaveLength(sent);
    until(60_000);
    expect(first.values).toEqual(numbers);
    expect(first.error).toBeUndefined();
    expect(emulator.jobs()).toMatchObject([{ chunksHandedOut: 10 }]);
  });

  test('has a reader for each job', () => {
    const { endpoint, id, see, until } = streaming();
    const other = see(endpoint.run({ input })).values[0]!;
    const both = [id, other.id].map((each) => see(endpoint.stream(each)));
    until(60_000);
    for (const seen of both) expect(seen.values).toEqual(numbers);
  });

  test('continues for a new reader where the previous reader unsubscribed', () => {
    // The first reader starts late, gets several chunks in one answer, and unsubscribes between two reads.
    const { endpoint, id, see, until } = streaming(ten, { latency: 10 });
    until(350);
    const first = see(endpoint.stream(id).pipe(take(3)));
    until(700);
    expect(first.values).toEqual([0, 1, 2]);
    const second = see(endpoint.stream(id));
    until(60_000);
    expect([...first.values, ...second.values]).toEqual(numbers);
    expect(second.error).toBeUndefined();
  });

  test('keeps the rest of an answer for the next reader after an unsubscribe in its middle', () => {
    const { endpoint, id, see, until } = streaming();
    until(550);
    const first = see(endpoint.stream(id).pipe(take(2)));
    const second = see(endpoint.stream(id));
    expect(first.values).toEqual([0, 1]);
    until(60_000);
    expect(second.values).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    expect(second.error).toBeUndefined();
  });

  test('S16 has a gap for the next reader after an aborted read', () => {
    const { endpoint, id, see, until } = streaming(ten, { latency: 100 });
    const first = see(endpoint.stream(id));
    // The answer with the next chunk is on its way back.
    until(490);
    first.subscription.unsubscribe();
    const second = see(endpoint.stream(id));
    until(60_000);
    expect(second.error).toMatchObject({
      code: 'stream_gap',
      delivered: first.values.length,
      lost: 'possibly',
      jobId: id,
    });
  });

  test('S16 fills the gap of an aborted read from the output of an aggregating worker', () => {
    const { endpoint, id, see, until } = streaming({ ...ten, aggregate: true }, { latency: 100 });
    const first = see(endpoint.stream(id));
    until(490);
    first.subscription.unsubscribe();
    const second = see(endpoint.stream(id));
    until(60_000);
    expect([...first.values, ...second.values]).toEqual(numbers);
    expect(second.error).toBeUndefined();
  });

  test('S15 emits falsy chunks, and reads a missing `stream` as empty', () => {
    const answers: Answer[] = [
      { body: { status: 'IN_PROGRESS', stream: [{ output: null }, { output: 0 }, { output: '' }, { output: false }] } },
      { body: { status: 'IN_PROGRESS' } },
      { body: { status: 'COMPLETED', stream: [{ output: [] }] } },
      { body: { status: 'COMPLETED', stream: [] } },
    ];
    const { endpoint, sent, see, until } = script((_, nth) => answers[nth - 1]!);
    const seen = see(endpoint.stream('a'));
    until(60_000);
    expect(seen.values).toEqual([null, 0, '', false, []]);
    expect(seen.ended).toBe(500);
    expect(sent).toHaveLength(4);
  });

  test('S15 emits the chunks of a failed job, then a JobFailedError with the cause', () => {
    const { endpoint, id, see, until, wire } = streaming({
      stream: true,
      handler: (_, { scheduler }) =>
        interval(100, scheduler).pipe(
          map((n) => {
            if (n === 3) throw new Error('out of memory');
            return n;
          }),
        ),
    });
    const seen = see(endpoint.stream(id));
    until(60_000);
    expect(seen.values).toEqual([0, 1, 2]);
    expect(seen.error).toMatchObject({ code: 'job_failed', jobId: id, snapshot: { status: 'FAILED' } });
    expect((seen.error as Error).message).toContain('out of memory');
    expect(wire('status')).toHaveLength(1);
  });

  test('S15 S17 emits the chunks of a cancelled job, then a JobCancelledError', () => {
    const { endpoint, id, see, at, until } = streaming();
    const seen = see(endpoint.stream(id));
    at(350, () => {
      see(endpoint.cancel(id));
    });
    until(60_000);
    expect(seen.values).toEqual([0, 1, 2]);
    expect(seen.error).toMatchObject({ code: 'job_cancelled', jobId: id });
  });

  test('aborts its read when it is unsubscribed, and does not cancel the job', () => {
    const { endpoint, emulator, id, see, until, wire } = streaming();
    const seen = see(endpoint.stream(id));
    until(250);
    seen.subscription.unsubscribe();
    until(60_000);
    expect(wire('stream').at(-1)).toBe('200-250 stream aborted');
    expect(emulator.jobs()).toMatchObject([{ status: 'COMPLETED', cancelRequests: 0 }]);
  });
});

describe('S16 a failed read', () => {
  const faulty = (rule: FaultRule, options: StreamOptions = {}, demo = ten) => {
    const made = streaming(demo, { faults: [{ on: 'stream', ...rule }] });
    const seen = made.see(made.endpoint.stream(made.id, options));
    made.until(60_000);
    return { ...made, seen };
  };

  test.each<FaultRule>([
    { fault: 'empty-429', nth: [2, 4] },
    { fault: 'connection-refused', nth: [2, 4] },
    { fault: 'answer', status: 429, nth: 3, headers: { 'retry-after': '1' } },
  ])('that cannot have taken chunks loses nothing: %j', (rule) => {
    const { seen, activity } = faulty(rule);
    expect(seen.error).toBeUndefined();
    expect(seen.values).toEqual(numbers);
    expect(activity.filter(({ type }) => type === 'gap')).toEqual([]);
  });

  const suspect: FaultRule[] = [
    { fault: 'answer', status: 408, nth: 4 },
    { fault: 'empty-502', nth: 4 },
    { fault: 'reset-before', nth: 4 },
    { fault: 'reset-after', nth: 4 },
    { fault: 'truncated-answer', nth: 4 },
    { fault: 'dropped-stream', nth: 4 },
    { fault: 'no-answer', nth: 4 },
  ];

  test.each(suspect)('with onGap hold, is a gap after which chunks are held and not emitted: %j', (rule) => {
    const { seen, id } = faulty(rule);
    expect(seen.values).toEqual([0, 1, 2]);
    expect(seen.error).toMatchObject({
      code: 'stream_gap',
      jobId: id,
      delivered: 3,
      lost: 'possibly',
    });
    const { held } = seen.error as { held: number[] };
    expect(numbers.slice(3)).toEqual(expect.arrayContaining(held));
    expect(held.length).toBeGreaterThanOrEqual(6 - (rule.fault === 'no-answer' ? 6 : 0));
  });

  test.each(suspect)('with onGap hold, is a gap that the output of an aggregating worker fills: %j', (rule) => {
    const { seen } = faulty(rule, {}, { ...ten, aggregate: true });
    expect(seen.error).toBeUndefined();
    expect(seen.values).toEqual(numbers);
    expect(seen.at.slice(0, 3)).toEqual([100, 200, 300]);
  });

  test.each(suspect)('with onGap mark, does not stop the stream and is reported in activity$: %j', (rule) => {
    const { seen, activity, id } = faulty(rule, { onGap: 'mark' });
    expect(seen.error).toBeUndefined();
    expect(seen.values.slice(0, 3)).toEqual([0, 1, 2]);
    expect(seen.values.at(-1)).toBe(9);
    const gaps = activity.filter(({ type }) => type === 'gap');
    expect(gaps).toMatchObject([{ type: 'gap', delivered: 3, jobId: id, operation: 'stream', endpointId: 'demo' }]);
  });

  test.each(suspect)('with onGap error, ends the stream at once: %j', (rule) => {
    const { seen, wire } = faulty(rule, { onGap: 'error' });
    expect(seen.values).toEqual([0, 1, 2]);
    expect(seen.error).toMatchObject({ code: 'stream_gap', delivered: 3 });
    expect(wire('stream')).toHaveLength(4);
  });

  test('whose truncated answer shows chunks has certainly lost chunks', () => {
    const answers: Answer[] = [
      { body: { status: 'IN_PROGRESS', stream: [{ output: 1 }] } },
      { body: '{"status":"IN_PROGRESS","stream":[{"output":2' },
      { body: { status: 'COMPLETED', stream: [{ output: 3 }] } },
      { body: { status: 'COMPLETED', stream: [] } },
    ];
    const { endpoint, see, until } = script(({ operation }, nth) =>
      operation === 'status' ? { body: { id: 'a', status: 'COMPLETED', output: [] } } : answers[nth - 1]!,
    );
    const seen = see(endpoint.stream('a'));
    until(60_000);
    expect(seen.values).toEqual([1]);
    expect(seen.error).toMatchObject({ code: 'stream_gap', delivered: 1, held: [3], lost: 'certainly' });
  });

  test('is never repeated: the next read is a new call', () => {
    const { activity } = faulty({ fault: 'empty-502', nth: 2 }, { onGap: 'mark' });
    expect(activity.filter(({ type }) => type === 'repeat')).toEqual([]);
  });

  test('that lasts longer than outage is the error of the stream', () => {
    const { endpoint, id, see, until, emulator } = streaming();
    const seen = see(endpoint.stream(id, { outage: 30_000, onGap: 'mark' }));
    until(250);
    emulator.inject({ fault: 'connection-refused', on: 'stream' });
    until(100_000);
    expect(seen.values).toEqual([0, 1, 2]);
    expect(seen.error).toMatchObject({ code: 'connection', phase: 'connect', jobId: id });
    expect(seen.ended).toBeLessThan(35_000);
    expect(seen.ended).toBeGreaterThan(20_000);
  });

  test('with a refusal is the error of the stream at once', () => {
    const { endpoint, see, until } = script(() => ({ status: 400, body: { error: 'not allowed for QB API' } }));
    const seen = see(endpoint.stream('a'));
    until(0);
    expect(seen.error).toMatchObject({ code: 'http', status: 400 });
  });
});

describe('S18 a job that is not found', () => {
  const lag: EmulatorOptions['faults'] = { 'transient-404': { for: 4_000 } };
  const gone = { status: 404, body: { error: 'job not found' } };

  test.each(['status', 'watch'] as const)('%s: is read again if it was just submitted', (name) => {
    const { endpoint, id, see, until, wire } = streaming({ handler: (_, { delay }) => delay(5_000) }, { faults: lag });
    const seen = see(endpoint[name](id));
    until(60_000);
    expect(seen.error).toBeUndefined();
    expect(seen).toMatchObject({ at: expect.arrayContaining([4_000]) });
    expect(wire('status').slice(0, 3)).toEqual(['0-0 status 404', '500-500 status 404', '1000-1000 status 404']);
  });

  test('stream: is read again without a gap if it was just submitted', () => {
    const { endpoint, id, see, until } = streaming(ten, { faults: lag });
    const seen = see(endpoint.stream(id));
    until(60_000);
    expect(seen.error).toBeUndefined();
    expect(seen.values).toEqual(numbers);
  });

  test('status: is read again even after a successful read in between', () => {
    const answers = [{ body: { id: 'job-1', status: 'IN_QUEUE' } }, { body: { status: 'IN_QUEUE' } }, gone];
    const { endpoint, see, until } = script((_, nth) => answers[nth - 1] ?? { body: { status: 'COMPLETED' } });
    see(endpoint.run({ input }));
    see(endpoint.status('job-1'));
    const seen = see(endpoint.status('job-1'));
    until(60_000);
    expect(seen).toMatchObject({ ended: 500, values: [{ status: 'COMPLETED' }] });
  });

  test('S2 status: does not use up the attempts for later failures', () => {
    const { endpoint, see, sent, until } = script((_, nth) =>
      nth === 1 ? { body: { id: 'job-1', status: 'IN_QUEUE' } } : nth < 8 ? gone : { status: 503 },
    );
    see(endpoint.run({ input }));
    const seen = see(endpoint.status('job-1'));
    until(60_000);
    expect(seen.error).toMatchObject({ status: 503 });
    expect(sent).toHaveLength(1 + 6 + 4);
  });

  test('cancel and runSync: is tried again if it was just submitted', () => {
    const made = script(({ operation }) => {
      if (operation === 'run') return { body: { id: 'job-1', status: 'IN_QUEUE' } };
      if (operation === 'runsync') return { body: { id: 'job-2', status: 'IN_QUEUE' } };
      return made.scheduler.now() < 3_000
        ? gone
        : { body: { status: operation === 'cancel' ? 'CANCELLED' : 'COMPLETED' } };
    });
    const { endpoint, see, until } = made;
    see(endpoint.run({ input }));
    const cancel = see(endpoint.cancel('job-1'));
    const sync = see(endpoint.runSync({ input }));
    until(60_000);
    expect(cancel).toMatchObject({ ended: 3_000, values: [{ id: 'job-1', status: 'CANCELLED' }] });
    expect(sync).toMatchObject({ ended: 3_000, values: [{ id: 'job-2', status: 'COMPLETED' }] });
  });

  test.each(['status', 'watch', 'stream', 'cancel', 'retry'] as const)(
    '%s: is a JobExpiredError from 10 s after the submission',
    (name) => {
      const { endpoint, sent, see, until } = script(({ operation }) =>
        operation === 'run' ? { body: { id: 'job-1', status: 'IN_QUEUE' }, after: 100 } : gone,
      );
      see(endpoint.run({ input }));
      until(200);
      const seen = see<unknown>(endpoint[name]('job-1'));
      until(60_000);
      expect(seen.error).toMatchObject({ code: 'job_expired', jobId: 'job-1', operation: expect.any(String) });
      expect(seen.ended).toBeGreaterThanOrEqual(10_100);
      expect(seen.ended).toBeLessThanOrEqual(10_700);
      const asked = sent.length;
      const late = see<unknown>(endpoint[name]('job-1'));
      until(61_000);
      expect(late).toMatchObject({ ended: 60_000, error: { code: 'job_expired' } });
      expect(sent).toHaveLength(asked + 1);
    },
  );

  test.each(['status', 'watch', 'stream', 'cancel', 'retry'] as const)(
    '%s: is a JobNotFoundError at once if this client never saw it',
    (name) => {
      const { endpoint, see, until, wire } = world();
      const seen = see<unknown>(endpoint[name]('unheard-of'));
      until(60_000);
      expect(seen).toMatchObject({ ended: 0, error: { code: 'job_not_found', jobId: 'unheard-of' } });
      expect(wire()).toHaveLength(1);
    },
  );

  test.each(['status', 'watch', 'stream', 'cancel'] as const)(
    '%s: is not tried again if the endpoint is unknown',
    (name) => {
      const { endpoint, sent, see, until } = script(({ operation }) =>
        operation === 'run'
          ? { body: { id: 'job-1', status: 'IN_QUEUE' } }
          : { status: 404, body: { detail: 'endpoint not found' } },
      );
      see(endpoint.run({ input }));
      const seen = see<unknown>(endpoint[name]('job-1'));
      until(60_000);
      expect(seen).toMatchObject({ ended: 0, error: { code: 'not_found', status: 404, jobId: 'job-1' } });
      expect(sent).toHaveLength(2);
    },
  );

  test('is a JobExpiredError with the last snapshot if this client has read its status before', () => {
    let asked = 0;
    const { endpoint, see, until } = script(() =>
      ++asked < 3 ? { body: { id: 'job-1', status: 'IN_PROGRESS', output: asked } } : gone,
    );
    const seen = see(endpoint.watch('job-1', { every: 1_000 }));
    until(60_000);
    expect(seen).toMatchObject({
      ended: 2_000,
      error: { code: 'job_expired', snapshot: { status: 'IN_PROGRESS', progress: 2 } },
    });
  });

  test('is read again if it was just retried', () => {
    const made = script(({ operation }) => {
      if (operation === 'retry') return { body: { id: 'job-1', status: 'IN_QUEUE' } };
      return made.scheduler.now() < 22_000 ? gone : { body: { id: 'job-1', status: 'COMPLETED' } };
    });
    const { endpoint, see, until } = made;
    until(20_000);
    see(endpoint.retry('job-1'));
    const seen = see(endpoint.status('job-1'));
    until(60_000);
    expect(seen).toMatchObject({ ended: 22_000, values: [{ status: 'COMPLETED' }] });
  });

  test('after a minute, is the result of a runsync, but not of a run', () => {
    const { endpoint, emulator, see, until } = world();
    see(endpoint.run({ input }));
    see(endpoint.runSync({ input }));
    until(100_000);
    const [run, sync] = emulator.jobs().map(({ id }) => see(endpoint.status(id)));
    expect(run!.values).toMatchObject([{ status: 'COMPLETED' }]);
    expect(sync!.error).toMatchObject({ code: 'job_expired' });
  });
});

describe('S17 the end of a job', () => {
  test.each(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'])(
    '%s is emitted by watch(), which completes',
    (status) => {
      const { endpoint, sent, see, until } = script(() => ({ body: { id: 'a', status } }));
      const seen = see(endpoint.watch('a'));
      until(60_000);
      expect(seen).toMatchObject({ values: [{ status }], ended: 0 });
      expect(seen.error).toBeUndefined();
      expect(sent).toHaveLength(1);
    },
  );

  test('COMPLETED without an output has the output undefined', () => {
    const { endpoint, see } = script(() => ({ body: { id: 'a', status: 'COMPLETED' } }));
    const [snapshot] = see(endpoint.status('a')).values;
    expect(snapshot).toHaveProperty('output', undefined);
  });

  test('S11 an unknown status does not end the job, and is polled at the normal interval', () => {
    const answers: Answer[] = ['NEW', 'NEW', 'COMPLETED'].map((status, nth) => ({ body: { id: 'a', status, nth } }));
    const { endpoint, sent, see, until } = script((_, nth) => answers[nth - 1]!);
    const seen = see(endpoint.watch('a'));
    until(60_000);
    expect(seen.values).toMatchObject([
      { status: 'UNKNOWN', rawStatus: 'NEW' },
      { status: 'UNKNOWN' },
      { status: 'COMPLETED' },
    ]);
    expect(sent.map(({ at }) => at)).toEqual([0, 500, 1_000]);
  });

  test('S19 a 4xx whose body is a job is read as a snapshot', () => {
    const { endpoint, see } = script(() => ({ status: 400, body: { id: 'a', status: 'COMPLETED', output: 1 } }));
    expect(see(endpoint.cancel('a')).values).toMatchObject([{ status: 'COMPLETED', output: 1 }]);
  });

  test.each([
    [503, { id: 'a', status: 'COMPLETED', output: 1 }],
    [400, { status: 'COMPLETED', output: 1 }],
    [400, { id: 'a', output: 1 }],
  ])('S19 a %i with %j is not read as a snapshot', (status, body) => {
    const { endpoint, see, until } = script(() => ({ status, body }));
    const seen = see(endpoint.status('a'));
    until(60_000);
    expect(seen.error).toMatchObject({ code: 'http', status });
    expect(seen.values).toEqual([]);
  });

  test('S19 a 200 with only an error is a ResponseError, and a watch reads again', () => {
    const { endpoint, sent, see, until } = script((_, nth) =>
      nth < 4 ? { body: { error: 'internal error' } } : { body: { id: 'a', status: 'COMPLETED' } },
    );
    const once = see(endpoint.status('a'));
    expect(once.error).toMatchObject({ code: 'response', jobId: 'a', excerpt: '{"error":"internal error"}' });
    const seen = see(endpoint.watch('a'));
    until(60_000);
    expect(seen.values).toMatchObject([{ status: 'COMPLETED' }]);
    expect(sent).toHaveLength(4);
  });
});
