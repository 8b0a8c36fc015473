import { EMPTY, concat, map, of, retry, take } from 'rxjs';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, test } from 'vitest';
import type { JobOptions, JobRef, JobRequest } from 'runpod-rx';
import { script, statuses, world, type Answer, type Script } from '../support/world.js';
import { expectSilence, look } from './support.js';
import { acting, another, schema, streaming, tally, when } from './support/acting.js';
import { running, says } from './support/says.js';

const input = { ms: 20_000 };
/** A poll so slow that it reads nothing during a test. */
const seldom = { every: 100_000 };
const none = schema((): unknown => {
  throw new Error('must be something else');
});

/** A job that runs until it is cancelled; `answers` replaces the answers to an operation. */
const service = (more: Partial<Record<string, Answer>> = {}): Script =>
  script(({ operation }) => more[operation] ?? says(running(operation), {}, 100));

/** A job whose stream gives one number per read, each read one second long, until it has given `count` numbers. */
function counting(count: number): Script {
  let given = 0;
  return script(({ operation }) => {
    const status = given < count ? 'IN_PROGRESS' : 'COMPLETED';
    if (operation !== 'stream') return says(status, { output: null }, 100);
    return { body: { status, stream: given < count ? [{ output: given++ }] : [] }, after: 1_000 };
  });
}

describe('S8 the output of a job that has completed is not lost', () => {
  test('where the cancel at a deadline finds it, and no read succeeds any more', () => {
    let cancelled = false;
    const made = script(({ operation }) => {
      cancelled ||= operation === 'cancel';
      if (operation === 'cancel') return says('COMPLETED', { output: 42 });
      return cancelled ? 'never' : says('IN_PROGRESS', {}, 100);
    });
    const seen = made.see(made.endpoint.job({ input }, { timeout: 10_000 }).output$);
    made.until(100_000);
    expect(seen.values).toEqual([42]);
  });

  test.each(['unsubscribing', 'cancel()', 'close()'])(
    'S4 where the cancel of %s is answered with the bare status',
    (way) => {
      const made = world({ latency: 100, endpoints: { demo: acting } });
      const job = made.endpoint.job({ input: { ms: 5_000 } }, seldom);
      const { subscription } = made.see(job.state$);
      made.until(6_000);
      if (way === 'cancel()') made.see(job.cancel());
      else if (way === 'close()') made.see(made.client.close());
      else subscription.unsubscribe();
      made.until(10_000);
      const late = made.see(job.output$);
      made.until(100_000);
      expect(late.values).toEqual([{ echo: { ms: 5_000 } }]);
      expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
    },
  );

  test('S17 where its progress is nested too deep to be compared', () => {
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);
    let reads = 0;
    const made = script(({ operation }) => {
      if (operation === 'run') return says('IN_QUEUE');
      if (++reads > 5) return says('COMPLETED', { output: 1 }, 100);
      return { body: `{"id":"job-1","status":"IN_PROGRESS","output":${deep}}`, after: 100 };
    });
    const seen = made.see(made.endpoint.job({ input }).state$);
    made.until(100_000);
    expect(seen.error).toBeUndefined();
    expect(statuses(seen).at(-1)).toBe('COMPLETED');
    expectSilence(made);
  });
});

describe('an output that does not match the schema', () => {
  test('found by cancel(): is an error of every view, and not emitted', () => {
    const made = service({ cancel: says('COMPLETED', { output: 1 }) });
    const job = made.client.endpoint('demo', { output: none }).job({ input });
    const [output, state] = [made.see(job.output$), made.see(job.state$)];
    made.until(5_000);
    const report = made.see(job.cancel());
    made.until(100_000);
    expect([output.values, statuses(state)]).toEqual([[], ['IN_QUEUE', 'IN_PROGRESS']]);
    for (const { error } of [output, state, report])
      expect(error).toMatchObject({ code: 'job_output', snapshot: { status: 'COMPLETED', output: 1 } });
  });

  test('S8 read at a deadline: is a JobOutputError, and the job, which is over, is not cancelled', () => {
    let over = false;
    const made = script(({ operation }) =>
      says(operation === 'cancel' ? 'CANCELLED' : over ? 'COMPLETED' : 'IN_PROGRESS', { output: 1 }, 100),
    );
    const endpoint = made.client.endpoint('demo', { output: none });
    const seen = made.see(endpoint.job({ input }, { timeout: 10_000, ...seldom }).output$);
    made.until(9_000);
    over = true;
    made.until(100_000);
    expect(seen.error).toMatchObject({ code: 'job_output', snapshot: { output: 1 } });
    expect(tally(made).cancel).toBeUndefined();
  });

  test('S4 unsubscribing while an asynchronous schema checks the output cancels nothing', () => {
    const made = service({ status: says('COMPLETED', { output: 1 }, 100) });
    const slow: StandardSchemaV1 = {
      '~standard': { version: 1, vendor: 'test', validate: () => new Promise(() => undefined) },
    };
    const { subscription } = made.see(made.client.endpoint('demo', { output: slow }).job({ input }).output$);
    made.until(1_000);
    subscription.unsubscribe();
    made.until(10_000);
    expect(tally(made)).toEqual({ run: 1, status: 1 });
    expectSilence(made);
  });
});

describe('the details of an error', () => {
  test('S3 of a job that failed: the job’s id, its endpoint and its tag', () => {
    const made = service({ status: says('FAILED', { error: 'x' }, 100) });
    const seen = made.see(made.endpoint.job({ input }, { tag: 'mine' }).output$);
    made.until(10_000);
    expect(seen.error).toMatchObject({ code: 'job_failed', tag: 'mine', endpointId: 'demo', jobId: 'job-1' });
  });

  test('S7 of a read that jobs share: each job has its own reference, and endpoint.watch none', () => {
    const made = script(() => ({ status: 401, after: 100 }));
    const refs = [
      made.see(made.endpoint.attach('job-1', { tag: 'a' }).state$),
      made.see(made.endpoint.attach('job-1', { tag: 'b' }).state$),
      made.see(made.endpoint.watch('job-1')),
    ];
    made.until(10_000);
    expect(when(made, 'status')).toEqual([0]);
    expect(refs.map(({ error }) => (error as { ref?: JobRef }).ref?.tag)).toEqual(['a', 'b', undefined]);
    expect(refs.map(({ error }) => (error as { ref?: JobRef }).ref?.id)).toEqual(['job-1', 'job-1', undefined]);
  });

  test.each<[string, () => unknown]>([
    ['completes', () => EMPTY],
    ['gives undefined, as one does that forgot to return it', () => of(undefined)],
    ['gives null', () => [null]],
  ])('S5 of a beforeSubmit that %s: accepted is no', (_, beforeSubmit) => {
    const made = service();
    const seen = made.see(
      made.endpoint.job({ input }, { beforeSubmit: beforeSubmit as JobOptions['beforeSubmit'] }).state$,
    );
    made.until(10_000);
    expect(seen.error).toMatchObject({ code: 'configuration', accepted: 'no', operation: 'run' });
    expect(made.sent).toEqual([]);
  });

  test('S5 of a beforeSubmit whose promise resolves without a value: accepted is no', async () => {
    const made = service();
    const beforeSubmit = () => Promise.resolve() as unknown as Promise<JobRequest>;
    const seen = made.see(made.endpoint.job({ input }, { beforeSubmit }).state$);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    made.until(10_000);
    expect(seen.error).toMatchObject({ code: 'configuration', accepted: 'no' });
    expect(made.sent).toEqual([]);
  });
});

describe('S14 the stream, after its last chunk-viewer unsubscribed', () => {
  const left = (replayChunks: JobOptions['replayChunks']) => {
    const made = counting(20);
    const job = made.endpoint.job({ input }, { replayChunks });
    made.see(job.output$);
    const first = made.see(job.chunks$);
    made.until(5_500);
    first.subscription.unsubscribe();
    made.until(10_500);
    const reads = when(made, 'stream').filter((at) => at > 5_500);
    const second = made.see(job.chunks$);
    made.until(60_000);
    return { reads, first, second };
  };
  const all = Array.from({ length: 20 }, (_, n) => n);

  test('where all chunks are kept: is read on while the job is owned, and a later subscriber misses nothing', () => {
    const { reads, first, second } = left(undefined);
    expect(reads).toHaveLength(5);
    expect(first.values).toEqual(all.slice(0, 5));
    expect([second.values, second.error]).toEqual([all, undefined]);
  });

  test.each([0, 3])(
    'S16 where %i chunks are kept: is not read, and a later subscriber gets a gap event',
    (replayChunks) => {
      const { reads, first, second } = left(replayChunks);
      expect(reads).toEqual([]);
      expect(first.values).toEqual(all.slice(0, 5));
      expect(second.values).toEqual(all.slice(5 - replayChunks, 5));
      // The aborted read carried one.
      expect(second.error).toMatchObject({ code: 'stream_gap', delivered: 5, held: all.slice(6), lost: 'possibly' });
    },
  );

  test('is not read where there never was a chunk-viewer', () => {
    const made = counting(20);
    const job = made.endpoint.job({ input });
    look(made, job, 'state$', 'events$', 'output$', 'progress$', 'id$');
    made.until(10_000);
    expect(when(made, 'stream')).toEqual([]);
  });
});

describe('S16 a stream that ends early', () => {
  test('with an error after the job was over: events$ has emitted the end, and completes', () => {
    const made = service({ status: says('COMPLETED', { output: 1 }, 100), stream: { status: 403, after: 3_000 } });
    const job = made.endpoint.job({ input });
    const [events, chunks] = [made.see(job.events$), made.see(job.chunks$)];
    made.until(100_000);
    expect(chunks.error).toMatchObject({ code: 'authentication' });
    expect(events.values.at(-1)).toMatchObject({ type: 'ended', snapshot: { status: 'COMPLETED' } });
    expect(events.error).toBeUndefined();
    expect(events.ended).toBeDefined();
  });

  test('with an error, under retry(): goes on where it was, with no chunk lost, repeated or out of order', () => {
    let [given, broken] = [0, false];
    const made = script(({ operation }) => {
      const status = given < 10 ? 'IN_PROGRESS' : 'COMPLETED';
      if (operation !== 'stream') return says(status, { output: null }, 10);
      const breaks = given === 4 && !broken;
      broken ||= breaks;
      if (breaks) return { status: 403, after: 100 };
      return { body: { status, stream: given < 10 ? [{ output: given++ }] : [] }, after: 100 };
    });
    const seen = made.see(made.endpoint.job({ input }, { replayChunks: 0 }).chunks$.pipe(retry(1)));
    made.until(60_000);
    expect(seen.values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(seen.error).toBeUndefined();
    expect(seen.ended).toBeDefined();
  });

  test('S18 because its job is gone: chunks that were never read are not taken for none', () => {
    const made = script(({ operation }) => {
      const now = made.scheduler.now();
      if (operation === 'run') return says('IN_QUEUE', {}, 100);
      if (operation === 'status') return says(now < 5_000 ? 'IN_PROGRESS' : 'COMPLETED', { output: 1 }, 100);
      return now < 20_000 ? { phase: 'connect' } : { status: 404, body: { error: 'job not found' } };
    });
    const job = made.endpoint.job({ input });
    const [chunks, output] = [made.see(job.chunks$), made.see(job.output$)];
    made.until(400_000);
    expect(output.values).toEqual([1]);
    expect(chunks.values).toEqual([]);
    expect(chunks.error).toMatchObject({ code: 'job_expired', ref: { id: 'job-1' } });
  });

  test('by detach(): chunks that came in the same answer are not lost to another client', () => {
    const made = world({
      endpoints: {
        demo: {
          ...streaming({ aggregate: true }),
          handler: (_, { delay }) =>
            concat(delay(1_000).pipe(map(() => 'a')), of('b'), delay(5_000).pipe(map(() => 'c'))),
        },
      },
    });
    const job = made.endpoint.job({ input });
    const before = made.see(job.chunks$.pipe(take(1)));
    made.see(job.state$);
    const refs: JobRef[] = [];
    before.subscription.add(() => job.detach().subscribe((ref) => refs.push(ref)));
    made.until(3_000);
    expect(refs).toMatchObject([{ id: made.emulator.jobs()[0]!.id }]);
    const after = made.see(another(made).endpoint('demo').attach(refs[0]!).chunks$);
    made.until(60_000);
    expect(before.values).toEqual(['a']);
    expect([after.values, after.error]).toEqual([['b', 'c'], undefined]);
  });
});
