import { retry } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Endpoint, Job, JobRef } from 'runpod-rx';
import { script, statuses, world, type World } from '../support/world.js';
import { acting, another, streaming, tally, type Act } from './support/acting.js';

const input = { ms: 20_000 };
const five: Act = { ms: 6_000, chunks: [1, 2, 3, 4, 5].map((n) => [n * 1_000, n]) };

/** A reference after it was written as JSON and read again. */
const written = (ref: JobRef): JobRef => JSON.parse(JSON.stringify(ref)) as JobRef;

/** Detaches a job at a moment, and returns its reference. */
function letGo(made: World, job: Job, ms: number): JobRef {
  made.until(ms);
  const seen = made.see(job.detach());
  expect(seen.values).toHaveLength(1);
  return written(seen.values[0]!);
}

describe('attaching to a job', () => {
  test('S4 another process gets the output of a job that was submitted once', () => {
    const made = world({ latency: 100 });
    const job = made.endpoint.job({ input }, { tag: 'mine' });
    const mine = made.see(job.output$);
    const ref = letGo(made, job, 5_000);
    const { id } = made.emulator.jobs()[0]!;
    expect(ref).toEqual({ v: 1, endpointId: 'demo', id, submittedAt: 100, tag: 'mine' });
    expect(mine).toMatchObject({ values: [], ended: 5_000 });
    made.see(made.client.close());
    const before = tally(made);
    const other = another(made);
    const activity: unknown[] = [];
    other.activity$.subscribe(({ tag }) => activity.push(tag));
    const attached = other.endpoint('demo').attach(ref);
    expect(tally(made)).toEqual(before);
    const [output, id$, events] = [made.see(attached.output$), made.see(attached.id$), made.see(attached.events$)];
    expect(id$).toMatchObject({ values: [id], ended: 5_000 });
    made.until(100_000);
    expect(output.values).toEqual([{ echo: input }]);
    expect(events.values.map(({ type }) => type)).toEqual(['submitted', 'state', 'state', 'ended']);
    expect(tally(made)).toMatchObject({ run: 1 });
    expect(tally(made).cancel).toBeUndefined();
    expect(new Set(activity)).toEqual(new Set(['mine']));
    expect(made.see(attached.detach()).values).toEqual([ref]);
  });

  test('takes a bare id, too', () => {
    const made = world();
    const { id } = made.see(made.endpoint.run({ input })).values[0]!;
    const job = another(made).endpoint('demo').attach(id);
    const [output, state] = [made.see(job.output$), made.see(job.state$)];
    made.until(100_000);
    expect(output.values).toEqual([{ echo: input }]);
    expect(statuses(state)).toEqual(['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED'].slice(-statuses(state).length));
    expect(statuses(state).at(-1)).toBe('COMPLETED');
    expect(made.see(job.detach()).values).toEqual([{ v: 1, endpointId: 'demo', id }]);
    expect(tally(made).run).toBe(1);
  });

  test.each<[string, object, number]>([
    ['nothing is said', {}, 0],
    ['it says detach', { onUnsubscribe: 'detach' }, 0],
    ['it says cancel', { onUnsubscribe: 'cancel' }, 1],
    ['it says cancel-if-queued, and the job runs', { onUnsubscribe: 'cancel-if-queued' }, 0],
  ])('S4 unsubscribing, where %s, sends this many cancels: %3$s', (_, options, cancels) => {
    const made = world();
    const { id } = made.see(made.endpoint.run({ input })).values[0]!;
    made.until(2_000);
    const seen = made.see(another(made).endpoint('demo').attach(id, options).state$);
    made.until(4_000);
    seen.subscription.unsubscribe();
    const reads = tally(made);
    made.until(100_000);
    expect(made.emulator.jobs()).toMatchObject([
      { status: cancels ? 'CANCELLED' : 'COMPLETED', cancelRequests: cancels },
    ]);
    expect(tally(made).run).toBe(1);
    expect(tally(made).cancel ?? 0).toBe(cancels);
    if (!('onUnsubscribe' in options)) expect(tally(made)).toEqual(reads);
  });

  test('S4 cancel() of an attached job cancels it, whatever onUnsubscribe says', () => {
    const made = world();
    const { id } = made.see(made.endpoint.run({ input })).values[0]!;
    made.until(2_000);
    const report = made.see(another(made).endpoint('demo').attach(id).cancel());
    made.until(100_000);
    expect(report.values).toMatchObject([{ status: 'CANCELLED' }]);
    expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('S14 S16 the stream goes on after the chunks that were delivered, with a gap event where some may be missing', () => {
    const made = world({ endpoints: { demo: streaming() } });
    const job = made.endpoint.job({ input: five });
    const mine = made.see(job.chunks$);
    const ref = letGo(made, job, 2_500);
    expect(mine.values).toEqual([1, 2]);
    // A read was in flight, and may have carried chunks.
    expect(ref).toMatchObject({ chunks: 2, gap: true });
    const attached = another(made).endpoint('demo').attach(ref, { onGap: 'mark' });
    const rest = made.see(attached.chunks$);
    made.until(3_500);
    const seen = made.see(attached.detach());
    expect(seen.values[0]).toMatchObject({ chunks: 3 });
    const third = made.see(another(made).endpoint('demo').attach(written(seen.values[0]!), { onGap: 'mark' }).chunks$);
    made.until(100_000);
    expect([mine.values, rest.values, third.values]).toEqual([[1, 2], [3], [4, 5]]);
    expect(third.error).toBeUndefined();
    expect(tally(made)).toMatchObject({ run: 1 });
    expect(tally(made).cancel).toBeUndefined();
  });

  test('S16 the missing chunks are taken from the output, where it contains the later chunks in order', () => {
    const made = world({ endpoints: { demo: streaming({ aggregate: true }) } });
    const job = made.endpoint.job({ input: five });
    made.see(job.chunks$);
    const ref = letGo(made, job, 2_500);
    made.emulator.inject({ fault: 'dropped-stream', times: 1 });
    const seen = made.see(another(made).endpoint('demo').attach(ref).chunks$);
    made.until(100_000);
    expect(seen.values).toEqual([3, 4, 5]);
    expect(seen.error).toBeUndefined();
  });

  test('S16 a gap error counts the chunks that another process delivered before', () => {
    const made = world({ endpoints: { demo: streaming() } });
    const job = made.endpoint.job({ input: five });
    made.see(job.chunks$);
    const ref = letGo(made, job, 2_500);
    const seen = made.see(another(made).endpoint('demo').attach(ref).chunks$);
    made.until(100_000);
    expect(seen.values).toEqual([]);
    expect(seen.error).toMatchObject({ code: 'stream_gap', delivered: 2, held: [3, 4, 5] });
  });

  test('S14 in the same client, chunks that were replayed are not counted twice', () => {
    const made = world({ endpoints: { demo: streaming({ aggregate: true }) } });
    const job = made.endpoint.job({ input: five });
    made.see(job.chunks$);
    made.until(1_500);
    made.see(job.chunks$);
    const ref = letGo(made, job, 2_500);
    expect(ref.chunks).toBe(2);
    const seen = made.see(made.endpoint.attach(ref).chunks$);
    made.until(100_000);
    expect(seen.values).toEqual([3, 4, 5]);
  });
});

describe('S20 an invalid reference', () => {
  const ref: JobRef = { v: 1, endpointId: 'demo', id: 'job-1' };
  test.each<[string, unknown, string]>([
    ['of another endpoint', { ...ref, endpointId: 'other' }, 'ref.endpointId'],
    ['of another version', { ...ref, v: 2 }, 'ref.v'],
    ['without a version', { endpointId: 'demo', id: 'job-1' }, 'ref.v'],
    ['with an id that would be a path', { ...ref, id: '../purge-queue' }, 'ref.id'],
    ['that is an id that would be a path', 'a/b', 'ref.id'],
    ['that is an empty id', '', 'ref.id'],
    ['without an id', { v: 1, endpointId: 'demo' }, 'ref.id'],
    ['that is a number', 5, 'ref.id'],
    ['that is null, as of an empty store', null, 'ref.id'],
    ['that is not there', undefined, 'ref.id'],
  ])('%s: the error names %3$s, and nothing is sent', (_, given, field) => {
    const made = script(() => ({ body: { id: 'job-1', status: 'COMPLETED' } }));
    const job = made.endpoint.attach(given as JobRef);
    const seen = [job.output$, job.state$, job.events$, job.chunks$].map((view$) => made.see<unknown>(view$));
    for (const { error, ended } of seen) expect([error, ended]).toEqual([undefined, undefined]);
    made.until(100_000);
    for (const { values, error } of seen) {
      expect(values.filter((value) => (value as { type?: string }).type !== 'submitted')).toEqual([]);
      expect(error).toMatchObject({ code: 'validation', operation: 'status' });
      expect((error as Error).message).toContain(field);
    }
    const cancelling = made.see(job.cancel());
    made.until(200_000);
    expect(cancelling.error).toMatchObject({ code: 'validation' });
    expect(made.sent).toEqual([]);
  });

  test('has no effect on a valid reference to the same job', () => {
    const made = script(() => ({ body: { id: 'job-1', status: 'COMPLETED', output: 1 } }));
    made.see(made.endpoint.attach('a/b').output$);
    const seen = made.see(made.endpoint.attach(ref).output$);
    made.until(100_000);
    expect(seen.values).toEqual([1]);
    expect(made.sent).toHaveLength(1);
  });
});

describe('S18 a job that is not found', () => {
  /** A job that the service answers with 404 for its first five seconds, and its reference. */
  const hidden = () => {
    const made = world({ faults: [{ fault: 'transient-404', for: 5_000 }] });
    const { id } = made.see(made.endpoint.run({ input })).values[0]!;
    made.until(1_000);
    const attach = (ref: string | JobRef): Job => another(made).endpoint('demo').attach(ref);
    return { ...made, id, attach };
  };

  test('soon after the submission that the reference tells of: the 404 is lag, and the job is read again', () => {
    const made = hidden();
    const job = made.attach({ v: 1, endpointId: 'demo', id: made.id, submittedAt: 0 });
    const [output, state] = [made.see(job.output$), made.see(job.state$)];
    made.until(100_000);
    expect([output.error, state.error]).toEqual([undefined, undefined]);
    expect(output.values).toEqual([{ echo: input }]);
    expect(made.emulator.requests().filter(({ status }) => status === 404).length).toBeGreaterThan(0);
    expect(tally(made).run).toBe(1);
  });

  test.each([
    ['without a time', undefined],
    ['with a time long ago', -20_000],
  ])('%s: JobNotFoundError', (_, submittedAt) => {
    const made = hidden();
    const job = made.attach({
      v: 1,
      endpointId: 'demo',
      id: made.id,
      ...(submittedAt !== undefined && { submittedAt }),
    });
    const seen = made.see(job.output$);
    made.until(4_000);
    expect(seen.error).toMatchObject({ code: 'job_not_found', jobId: made.id });
    expect(tally(made)).toEqual({ run: 1, status: 1 });
    // Final for this Job, and emitted on the scheduler.
    const late = made.see(job.state$.pipe(retry(5)));
    expect(late.error).toBeUndefined();
    made.until(100_000);
    expect(late.error).toBe(seen.error);
    expect(tally(made)).toEqual({ run: 1, status: 1 });
    const anew = made.see(made.attach(made.id).output$);
    made.until(200_000);
    expect(anew.values).toHaveLength(1);
  });

  test.each(['chunks$', 'state$'] as const)('is the error of %s', (view) => {
    const made = script(() => ({ status: 404, body: { error: 'job not found' } }));
    const seen = made.see<unknown>(made.endpoint.attach('job-1')[view]);
    made.until(100_000);
    expect(seen.error).toMatchObject({ code: 'job_not_found', jobId: 'job-1' });
    expect(tally(made).cancel).toBeUndefined();
    expect(made.scheduler.actions).toEqual([]);
  });

  test.each<[string, (made: World) => Endpoint, string]>([
    ['by the client that had seen it: expired', ({ endpoint }) => endpoint, 'job_expired'],
    ['by another one: not found', (made) => another(made).endpoint('demo'), 'job_not_found'],
  ])('after its result has expired, %s', (_, from, code) => {
    const made = world({ endpoints: { demo: { ...acting, retention: { run: 60_000 } } } });
    const { id } = made.see(made.endpoint.run({ input })).values[0]!;
    made.until(100_000);
    const seen = made.see(from(made).attach(id).output$);
    made.until(200_000);
    expect(seen.error).toMatchObject({ code, jobId: id });
    expect(tally(made)).toEqual({ run: 1, status: 1 });
  });

  test('by its ttl while it is watched: expired, with its last snapshot, and nothing is cancelled', () => {
    const made = world();
    const job = made.endpoint.job({ input, policy: { ttl: 12_000 } });
    const seen = made.see(job.output$);
    made.until(100_000);
    expect(seen.error).toMatchObject({ code: 'job_expired', snapshot: { status: 'IN_PROGRESS' } });
    expect(tally(made).cancel).toBeUndefined();
  });
});

describe('an answer about a job', () => {
  test('that is over already: the job is read once', () => {
    const made = world();
    const { id } = made.see(made.endpoint.run({ input })).values[0]!;
    made.until(100_000);
    const job = another(made).endpoint('demo').attach(id);
    const [output, state, events] = [made.see(job.output$), made.see(job.state$), made.see(job.events$)];
    made.until(200_000);
    expect(output.values).toEqual([{ echo: input }]);
    expect(statuses(state)).toEqual(['COMPLETED']);
    expect(events.values.map(({ type }) => type)).toEqual(['submitted', 'state', 'ended']);
    expect(tally(made)).toEqual({ run: 1, status: 1 });
  });

  test('S18 after its end is ignored: a late progress update does not open the job again', () => {
    const made = world({ endpoints: { demo: acting }, faults: [{ fault: 'late-progress', after: 0 }] });
    const job = made.endpoint.job({ input: { ms: 2_000, progress: [[500, 'half']] } satisfies Act });
    const first = made.see(job.state$);
    made.until(50_000);
    const reads = tally(made);
    expect(statuses(first).at(-1)).toBe('COMPLETED');
    // The answer of the service from now on.
    expect(statuses(made.see(another(made).endpoint('demo').status(made.emulator.jobs()[0]!.id)))).toEqual([
      'IN_PROGRESS',
    ]);
    const second = [made.see(job.state$), made.see(job.output$), made.see(job.chunks$)];
    made.until(100_000);
    expect(second[0]!.values).toMatchObject([{ status: 'COMPLETED' }]);
    expect(second[1]!.values).toHaveLength(1);
    expect(tally(made)).toMatchObject({ run: 1, status: reads.status! + 1 });
    expect(tally(made).cancel).toBeUndefined();
  });

  test('S18 is final once it was terminal, for a later view, and for a view that still reads the stream', () => {
    const late = { id: 'job-1', status: 'IN_PROGRESS', output: 'nearly' };
    let over = false;
    const made = script(({ operation }) => {
      if (operation === 'run') return { body: { id: 'job-1', status: 'IN_QUEUE' } };
      if (operation === 'stream') return { body: { status: 'IN_PROGRESS', stream: [] }, after: 10_000 };
      if (over) return { body: late };
      over = true;
      return { body: { id: 'job-1', status: 'COMPLETED', output: 1 } };
    });
    const job = made.endpoint.job({ input });
    const [state, progress] = [made.see(job.state$), made.see(job.progress$)];
    const chunks = made.see(job.chunks$);
    made.until(50_000);
    const second = [made.see(job.output$), made.see(job.state$)];
    made.until(60_000);
    chunks.subscription.unsubscribe();
    made.until(100_000);
    expect(statuses(state)).toEqual(['IN_QUEUE', 'COMPLETED']);
    expect(progress.values).toEqual([]);
    expect(second[0]!.values).toEqual([1]);
    expect(second[1]!.values).toMatchObject([{ status: 'COMPLETED' }]);
    // The job was known to be over, so unsubscribing does not release it.
    expect(tally(made)).toMatchObject({ run: 1, status: 1 });
    expect(tally(made).cancel).toBeUndefined();
  });

  test('S11 with an unknown status is no end: polling goes on at the normal pace', () => {
    const made = world({
      faults: [{ fault: 'answer', on: 'status', nth: [3, 4], status: 200, body: { status: 'PAUSED', output: 'p' } }],
    });
    const job = made.endpoint.job({ input: { ms: 4_500 } }, { every: 1_000 });
    const [state, output] = [made.see(job.state$), made.see(job.output$)];
    made.until(100_000);
    expect(statuses(state)).toEqual(['IN_QUEUE', 'IN_PROGRESS', 'UNKNOWN', 'IN_PROGRESS', 'COMPLETED']);
    expect(state.values[2]).toMatchObject({ rawStatus: 'PAUSED' });
    expect(output.values).toHaveLength(1);
    expect(tally(made)).toEqual({ run: 1, status: 6 });
  });

  test('that goes back from running to queued is emitted as it is', () => {
    const made = world({ endpoints: { demo: acting }, faults: [{ fault: 'lost-worker', after: 2_000, times: 1 }] });
    const job = made.endpoint.job({ input: { ms: 20_000 } });
    const [state, output] = [made.see(job.state$), made.see(job.output$)];
    made.until(200_000);
    expect(statuses(state).at(-1)).toBe('COMPLETED');
    expect(output.values).toHaveLength(1);
    expect(made.emulator.jobs()).toMatchObject([{ retries: 1 }]);
    expect(tally(made)).toMatchObject({ run: 1 });
    expect(tally(made).cancel).toBeUndefined();
  });
});
