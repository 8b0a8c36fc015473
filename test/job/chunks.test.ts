import { filter, take, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Job, JobEvent, JobOptions, JobRef } from 'runpod-rx';
import { script, world, type Answer } from '../support/world.js';
import { another, number, schema, streaming, tally, type Act } from './support/acting.js';

/** Yields five chunks, one a second, then ends. */
const five: Act = { ms: 6_000, chunks: [1, 2, 3, 4, 5].map((n) => [n * 1_000, n]) };
const all = [1, 2, 3, 4, 5];

const streamed = (options: Parameters<typeof world>[0] = {}, aggregate = true, client = {}) =>
  world({ endpoints: { demo: streaming({ aggregate }) }, ...options }, client);
const types = (events: readonly JobEvent[]) => events.map(({ type }) => type);
const chunksOf = (events: readonly JobEvent[]) =>
  events.flatMap((event) => (event.type === 'chunk' ? [event.chunk] : []));

describe('S14 the reader of the stream', () => {
  test('is started by chunks$ alone', () => {
    const made = streamed();
    const job = made.endpoint.job({ input: five });
    const others = [job.id$, job.state$, job.progress$, job.output$, job.events$].map((view$) =>
      made.see<unknown>(view$),
    );
    made.until(3_000);
    expect(tally(made).stream).toBeUndefined();
    const chunks = made.see(job.chunks$);
    made.until(100_000);
    expect(chunks.values).toEqual(all);
    expect(chunks.error).toBeUndefined();
    for (const { error, ended } of others) expect([error, typeof ended]).toEqual([undefined, 'number']);
    expect(tally(made)).toMatchObject({ run: 1 });
    expect(tally(made).cancel).toBeUndefined();
  });

  test.each([true, false])('with stream: %s, events$ emits the chunks only where that is true', (stream) => {
    const made = streamed();
    const seen = made.see(made.endpoint.job({ input: five }, { stream }).events$);
    made.until(100_000);
    expect(chunksOf(seen.values)).toEqual(stream ? all : []);
    expect(seen.values.at(-1)).toMatchObject({ type: 'ended', snapshot: { status: 'COMPLETED' } });
    expect((tally(made).stream ?? 0) > 0).toBe(stream);
  });

  test('is shared by all subscribers, each of which gets every chunk once', () => {
    const alone = streamed();
    alone.see(alone.endpoint.job({ input: five }).chunks$);
    alone.until(100_000);

    const made = streamed();
    const job = made.endpoint.job({ input: five }, { stream: true });
    const [one, two, events] = [made.see(job.chunks$), made.see(job.chunks$), made.see(job.events$)];
    made.until(100_000);
    expect([one.values, two.values, chunksOf(events.values)]).toEqual([all, all, all]);
    expect(tally(made)).toEqual(tally(alone));
    expect(one.at).toEqual(two.at);
  });

  test('chunks come as they are made, while the job runs', () => {
    const made = streamed({ latency: 100 });
    const seen = made.see(made.endpoint.job({ input: five }).chunks$);
    made.until(100_000);
    for (const [n, at] of seen.at.entries()) {
      expect(at).toBeGreaterThan((n + 1) * 1_000);
      expect(at).toBeLessThan((n + 1) * 1_000 + 1_000);
    }
  });

  test('stops when the last subscriber unsubscribes; a later subscriber misses no chunk', () => {
    const made = streamed();
    const job = made.endpoint.job({ input: five }, { onUnsubscribe: 'detach' });
    const first = made.see(job.chunks$);
    made.until(2_500);
    first.subscription.unsubscribe();
    const reads = tally(made);
    made.until(50_000);
    expect(tally(made)).toEqual(reads);
    const second = made.see(job.chunks$);
    made.until(100_000);
    expect(first.values).toEqual([1, 2]);
    expect(second.values).toEqual(all);
    expect(second.error).toBeUndefined();
    expect(tally(made).cancel).toBeUndefined();
  });

  test('goes on for output$ after chunks$ has ended with take(n)', () => {
    const made = streamed();
    const job = made.endpoint.job({ input: five });
    const [two, output] = [made.see(job.chunks$.pipe(take(2))), made.see(job.output$)];
    made.until(100_000);
    expect(two.values).toEqual([1, 2]);
    expect(output.values).toEqual([all]);
    expect(tally(made).cancel).toBeUndefined();
    const late = made.see(job.chunks$);
    made.until(200_000);
    expect(late.values).toEqual(all);
    expect(tally(made).run).toBe(1);
  });

  test('with take(n) on the only view releases the job: it is cancelled, once', () => {
    const made = streamed();
    const seen = made.see(made.endpoint.job({ input: five }).chunks$.pipe(take(2)));
    made.until(100_000);
    expect(seen.values).toEqual([1, 2]);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
  });

  test('unsubscribing cancels nothing after the stream said that the job is over', () => {
    const input: Act = { ms: 1_000, chunks: [[1_000, 'last']] };
    const made = streamed();
    // The next poll is far away, so this is known from the stream.
    const seen = made.see(made.endpoint.job({ input }, { every: 1e6, onUnsubscribe: 'cancel' }).chunks$.pipe(take(1)));
    made.until(1_000_000);
    expect(seen.values).toEqual(['last']);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'COMPLETED', cancelRequests: 0 }]);
    expect(tally(made).cancel).toBeUndefined();
  });

  test('a job is read at once after the stream said that it is over, whatever the poll policy says', () => {
    const made = streamed();
    const job = made.endpoint.job({ input: five }, { every: 1e6 });
    const [output] = [made.see(job.output$), made.see(job.chunks$)];
    made.until(100_000);
    expect(output.values).toEqual([all]);
    expect(output.ended).toBeLessThan(8_000);
    expect(tally(made).status).toBe(2);
  });
});

describe('S14 replayChunks', () => {
  const late = (replayChunks: JobOptions['replayChunks']) => {
    const made = streamed();
    const job = made.endpoint.job({ input: five }, { ...(replayChunks !== undefined && { replayChunks }) });
    const first = made.see(job.chunks$);
    made.until(3_500);
    const midway = made.see(job.chunks$);
    made.until(100_000);
    const after = made.see(job.chunks$);
    made.until(200_000);
    expect(first.values).toEqual(all);
    for (const { error, ended } of [midway, after]) expect([error, typeof ended]).toEqual([undefined, 'number']);
    expect(tally(made).run).toBe(1);
    return [midway.values, after.values];
  };

  test.each<[JobOptions['replayChunks'], unknown[], unknown[]]>([
    [undefined, all, all],
    ['all', all, all],
    [0, [4, 5], []],
    [1, [3, 4, 5], [5]],
    [2, [2, 3, 4, 5], [4, 5]],
    [100, all, all],
  ])(
    '%s: a subscriber that comes midway gets the kept chunks and the later ones; one that comes after the end gets the kept chunks',
    (n, mid, end) => {
      expect(late(n)).toEqual([mid, end]);
    },
  );

  test('events$ replays them after the state and before the end', () => {
    const made = streamed();
    const job = made.endpoint.job({ input: five }, { stream: true, replayChunks: 2 });
    made.see(job.events$);
    made.until(100_000);
    const seen = made.see(job.events$);
    made.until(200_000);
    expect(types(seen.values)).toEqual(['submitted', 'state', 'chunk', 'chunk', 'ended']);
    expect(chunksOf(seen.values)).toEqual([4, 5]);
  });
});

describe('S15 the end of a stream', () => {
  const failing: Act = { ...five, ms: 5_500, fails: 'no memory' };

  test('of a job that failed: its chunks come first, then its error, also for late subscribers', () => {
    const made = streamed();
    const job = made.endpoint.job({ input: failing }, { stream: true });
    const [chunks, events, state] = [made.see(job.chunks$), made.see(job.events$), made.see(job.state$)];
    made.until(100_000);
    const late = made.see(job.chunks$);
    expect([late.values, late.error]).toEqual([[], undefined]);
    made.until(200_000);
    for (const seen of [chunks, late]) {
      expect(seen.values).toEqual(all);
      expect(seen.error).toMatchObject({ code: 'job_failed', snapshot: { status: 'FAILED' } });
      expect((seen.error as Error).message).toContain('no memory');
    }
    expect(events.error).toBeUndefined();
    expect(types(events.values).lastIndexOf('chunk')).toBeLessThan(types(events.values).indexOf('ended'));
    expect(events.values.at(-1)).toMatchObject({ type: 'ended', snapshot: { status: 'FAILED' } });
    expect(state.error).toBeUndefined();
    expect(tally(made)).toMatchObject({ run: 1 });
    expect(tally(made).cancel).toBeUndefined();
  });

  test.each([
    ['cancelled', 'job_cancelled'],
    ['killed by the service', 'job_deadline'],
  ])('of a job that was %s: its chunks come first, then its error', (how, code) => {
    const made = world({ endpoints: { demo: streaming({ killLag: 0 }) } });
    const request = { input: { ...five, ms: 60_000 }, policy: { executionTimeout: 5_500 } };
    const job = made.endpoint.job(request);
    const seen = made.see(job.chunks$);
    if (how === 'cancelled') {
      made.at(5_200, () => {
        job.cancel();
      });
    }
    made.until(100_000);
    expect(seen.values).toEqual(all);
    expect(seen.error).toMatchObject({ code });
  });

  test('falsy chunks are chunks', () => {
    const falsy = [0, '', false, null, [], {}];
    const made = streamed();
    const input: Act = { ms: 1_000, chunks: falsy.map((chunk, n) => [100 * n, chunk]) };
    const job = made.endpoint.job({ input }, { stream: true });
    const [chunks, events] = [made.see(job.chunks$), made.see(job.events$)];
    made.until(100_000);
    expect(chunks.values).toEqual(falsy);
    expect(chunksOf(events.values)).toEqual(falsy);
    const late = made.see(job.chunks$);
    made.until(200_000);
    expect(late.values).toEqual(falsy);
  });

  test('a job without chunks has an empty stream', () => {
    const made = streamed();
    const seen = made.see(made.endpoint.job({ input: { ms: 2_000 } }).chunks$);
    made.until(100_000);
    expect([seen.values, seen.error, typeof seen.ended]).toEqual([[], undefined, 'number']);
  });

  test('output$ does not wait for a stream that is not drained yet, and ended comes after the last chunk', () => {
    const answers: Answer[] = [
      { body: { status: 'IN_PROGRESS', stream: [{ output: 'a' }] }, after: 100 },
      { body: { status: 'COMPLETED', stream: [{ output: 'b' }] }, after: 20_000 },
      { body: { status: 'COMPLETED', stream: [] }, after: 5_000 },
    ];
    const made = script(({ operation }) =>
      operation === 'stream'
        ? answers.shift()!
        : {
            body:
              operation === 'run'
                ? { id: 'job-1', status: 'IN_QUEUE' }
                : { id: 'job-1', status: 'COMPLETED', output: 1 },
            after: 100,
          },
    );
    const job = made.endpoint.job({ input: five }, { stream: true });
    const events = made.see(job.events$);
    const [output, state, chunks] = [made.see(job.output$), made.see(job.state$), made.see(job.chunks$)];
    made.until(1_000_000);
    expect([output.ended, state.ended]).toEqual([200, 200]);
    expect(chunks).toMatchObject({ values: ['a', 'b'], at: [200, 20_200], ended: 25_200 });
    expect(types(events.values)).toEqual(['submitting', 'submitted', 'state', 'state', 'chunk', 'chunk', 'ended']);
    expect(events.at.at(-1)).toBe(25_200);
    expect(tally(made)).toEqual({ run: 1, status: 1, stream: 3 });
    expect(made.scheduler.actions).toEqual([]);
  });

  test('unsubscribing before the stream of a completed job is drained cancels nothing; a later subscriber gets the rest', () => {
    const slow = ({ url }: { url: string }) => (url.includes('/stream/') ? 4_000 : 0);
    const made = streamed({ latency: slow });
    const job = made.endpoint.job({
      input: {
        ms: 1_000,
        chunks: [
          [500, 'a'],
          [900, 'b'],
        ],
      } satisfies Act,
    });
    const [output, chunks] = [made.see(job.output$), made.see(job.chunks$)];
    made.until(3_000);
    expect(output.values).toHaveLength(1);
    chunks.subscription.unsubscribe();
    made.until(50_000);
    expect(tally(made).cancel).toBeUndefined();
    const late = made.see(job.chunks$);
    made.until(100_000);
    // The chunks of the aborted read come from the output.
    expect([late.values, late.error]).toEqual([['a', 'b'], undefined]);
  });
});

describe('S14 a stream that is read elsewhere', () => {
  test('is an error of chunks$ alone; once the other reader unsubscribes, chunks$ reads it', () => {
    const made = streamed();
    const job = made.endpoint.job({ input: five });
    const output = made.see(job.output$);
    made.until(500);
    const { id } = made.emulator.jobs()[0]!;
    const other = made.see(made.endpoint.stream(id));
    const refused = made.see(job.chunks$);
    expect(refused.error).toBeUndefined();
    made.until(2_500);
    expect(refused).toMatchObject({ values: [], error: { code: 'stream_in_use', jobId: id } });
    expect(other.values).toEqual([1, 2]);
    other.subscription.unsubscribe();
    const again = made.see(job.chunks$);
    made.until(100_000);
    // The chunks that the other Job received are in the output only.
    expect(again.values).toEqual(all);
    expect(again.error).toBeUndefined();
    expect(output.values).toEqual([all]);
    expect(tally(made).cancel).toBeUndefined();
    expect(tally(made).run).toBe(1);
  });

  test('is not taken for empty by a job whose chunks another Job object has received', () => {
    for (const aggregate of [true, false]) {
      const made = streamed({}, aggregate);
      const job = made.endpoint.job({ input: five });
      made.see(job.output$);
      made.until(500);
      const ref = made.see(job.id$).values.map((id) => ({ v: 1, endpointId: 'demo', id, chunks: 0 }) as const)[0]!;
      const other = made.see(made.endpoint.attach(ref).chunks$);
      made.until(50_000);
      const mine = made.see(job.chunks$);
      made.until(100_000);
      expect(other.values).toEqual(all);
      expect(mine.values).toEqual(aggregate ? all : []);
      if (aggregate) expect(mine.error).toBeUndefined();
      else expect(mine.error).toMatchObject({ code: 'stream_gap', delivered: 0, held: [], lost: 'certainly' });
    }
  });

  test('has gap events for two Job objects that take turns, where nothing can be recovered', () => {
    const made = streamed({}, false);
    const options: JobOptions = { stream: true, onGap: 'mark', replayChunks: 0 };
    const job = made.endpoint.job({ input: five }, options);
    made.see(job.output$);
    made.until(500);
    const { id } = made.emulator.jobs()[0]!;
    const other = made.endpoint.attach({ v: 1, endpointId: 'demo', id, chunks: 0 }, options);
    // Each unsubscribes when it gets a chunk, while no read is in flight.
    const turn = (from: { readonly events$: Observable<JobEvent> }, ms: number) => {
      const marked$ = from.events$.pipe(filter(({ type }) => type === 'chunk' || type === 'gap'));
      const seen = made.see(marked$.pipe(take(2)));
      made.until(ms);
      return seen.values.map((event) => (event.type === 'chunk' ? event.chunk : event.type));
    };
    expect(turn(other, 2_500)).toEqual([1, 2]);
    expect(turn(job, 3_500)).toEqual(['gap', 3]);
    expect(turn(other, 4_500)).toEqual(['gap', 4]);
    expect(turn(job, 100_000)).toEqual(['gap', 5]);
  });

  test('has its position in the reference on an error in the middle of it', () => {
    const made = streamed();
    const abort = new AbortController();
    const job = made.endpoint.job({ input: five }, { signal: abort.signal, onUnsubscribe: 'detach' });
    const seen = made.see(job.chunks$);
    made.until(2_500);
    abort.abort();
    made.until(2_600);
    expect(seen.values).toEqual([1, 2]);
    expect(seen.error).toMatchObject({ code: 'aborted', ref: { chunks: 2 } });
  });

  test('goes on after the chunks that a reference counts as delivered by another process', () => {
    const made = streamed();
    const read = (from: Job, count: number, ms: number) => {
      // Unsubscribes when it gets a chunk, while no read is in flight.
      const seen = made.see(from.chunks$.pipe(take(count)));
      made.until(ms);
      return [seen.values, made.see(from.detach()).values[0] as JobRef] as const;
    };
    const [first, ref] = read(made.endpoint.job({ input: five }, { onUnsubscribe: 'detach' }), 1, 1_500);
    const [second, back] = read(another(made).endpoint('demo').attach(ref), 2, 3_500);
    const [third, end] = read(made.endpoint.attach(back), 9, 100_000);
    expect([first, second, third]).toEqual([[1], [2, 3], [4, 5]]);
    expect([ref.chunks, back.chunks, end.chunks]).toEqual([1, 3, 5]);
  });

  test('ends events$ with stream: true, and not without', () => {
    for (const stream of [false, true]) {
      const made = streamed();
      const { id } = made.see(made.endpoint.run({ input: five })).values[0]!;
      made.see(made.endpoint.stream(id));
      const job = made.endpoint.attach(id, { stream });
      const [events, state] = [made.see(job.events$), made.see(job.state$)];
      made.until(100_000);
      if (stream) expect(events.error).toMatchObject({ code: 'stream_in_use' });
      else expect(types(events.values).at(-1)).toBe('ended');
      expect(state.error).toBeUndefined();
    }
  });

  test('is refused to endpoint.stream while the job reads it', () => {
    const made = streamed();
    const job = made.endpoint.job({ input: five });
    const mine = made.see(job.chunks$);
    made.until(500);
    const other = made.see(made.endpoint.stream(made.emulator.jobs()[0]!.id));
    made.until(100_000);
    expect(other.error).toMatchObject({ code: 'stream_in_use' });
    expect(mine.values).toEqual(all);
  });
});

describe('S16 a stream answer that was lost with its chunks', () => {
  const dropped = (options: JobOptions, aggregate = true) => {
    const made = streamed({ faults: [{ fault: 'dropped-stream', nth: 3 }] }, aggregate);
    const job = made.endpoint.job({ input: five }, { stream: true, ...options });
    const seen = {
      chunks: made.see(job.chunks$),
      events: made.see(job.events$),
      output: made.see(job.output$),
      state: made.see(job.state$),
    };
    made.until(200_000);
    expect(tally(made)).toMatchObject({ run: 1 });
    expect(tally(made).cancel).toBeUndefined();
    expect(seen.state.error).toBeUndefined();
    expect(seen.output.values).toHaveLength(1);
    expect(made.emulator.requests().filter(({ fault }) => fault)).toHaveLength(1);
    return { ...made, job, seen };
  };

  test('hold: the missing chunks come from the output, in order', () => {
    const { seen, activity } = dropped({});
    expect(seen.chunks.values).toEqual(all);
    expect(chunksOf(seen.events.values)).toEqual(all);
    expect(types(seen.events.values).at(-1)).toBe('ended');
    expect(seen.chunks.error).toBeUndefined();
    expect(activity.filter(({ type }) => type === 'gap')).toEqual([]);
  });

  test('hold: where the output does not contain them, the error has the counts, and a later subscriber gets the same error', () => {
    const { seen, see, job, until } = dropped({ onGap: 'hold' }, false);
    expect(seen.chunks.values).toEqual([1, 2]);
    expect(seen.chunks.error).toMatchObject({ code: 'stream_gap', delivered: 2, held: [4, 5] });
    const again = see(job.chunks$);
    until(400_000);
    expect(again.values).toEqual([1, 2]);
    expect(again.error).toMatchObject({ code: 'stream_gap', delivered: 2, held: [4, 5] });
  });

  test('mark: goes on, with a gap event where chunks may be missing', () => {
    const { seen, activity, see, job, until } = dropped({ onGap: 'mark', tag: 'mine' });
    expect(seen.chunks.values).toEqual([1, 2, 4, 5]);
    const told = seen.events.values.filter(({ type }) => type === 'chunk' || type === 'gap');
    expect(told.map((event) => (event.type === 'chunk' ? event.chunk : event))).toEqual([
      1,
      2,
      { type: 'gap', delivered: 2 },
      4,
      5,
    ]);
    expect(activity.filter(({ type }) => type === 'gap')).toMatchObject([{ delivered: 2, tag: 'mine' }]);
    const late = see(job.events$);
    until(400_000);
    expect(types(late.values).slice(2)).toEqual(['chunk', 'chunk', 'gap', 'chunk', 'chunk', 'ended']);
  });

  test('error: chunks$ errors at once, and the job goes on', () => {
    const { seen, emulator } = dropped({ onGap: 'error' });
    expect(seen.chunks.values).toEqual([1, 2]);
    for (const one of [seen.chunks, seen.events]) expect(one.error).toMatchObject({ code: 'stream_gap', delivered: 2 });
    expect(seen.chunks.ended).toBeLessThan(4_000);
    expect(seen.output.ended).toBeGreaterThan(6_000 - 1);
    expect(emulator.jobs()).toMatchObject([{ status: 'COMPLETED' }]);
  });

  test('a failed read that cannot have taken chunks is no gap', () => {
    const made = streamed({ faults: [{ fault: 'empty-429', on: 'stream', nth: [2, 3] }] });
    const seen = made.see(made.endpoint.job({ input: five }, { onGap: 'error' }).chunks$);
    made.until(100_000);
    expect([seen.values, seen.error]).toEqual([all, undefined]);
  });
});

describe('an error of the stream', () => {
  test('S2 after an outage is the error of chunks$, with the reference; a later subscriber goes on with the same job', () => {
    const made = streamed();
    const job = made.endpoint.job({ input: five }, { outage: 3_000, tag: 'mine' });
    const [chunks, output] = [made.see(job.chunks$), made.see(job.output$)];
    let mend = () => undefined as void;
    made.at(1_500, () => {
      mend = made.emulator.inject({ fault: 'empty-429', on: 'stream' });
    });
    made.until(50_000);
    const { id } = made.emulator.jobs()[0]!;
    expect(chunks.error).toMatchObject({
      code: 'rate_limit',
      jobId: id,
      ref: { v: 1, endpointId: 'demo', id, submittedAt: 0, chunks: 2, tag: 'mine' },
    });
    expect(output.values).toEqual([all]);
    mend();
    const again = made.see(job.chunks$);
    made.until(100_000);
    expect(again.values).toEqual(all);
    expect(tally(made).run).toBe(1);
    expect(tally(made).cancel).toBeUndefined();
  });

  test('S4 does not release the job: it is not cancelled, even where chunks$ was the only view', () => {
    const made = streamed();
    const job = made.endpoint.job({ input: { ...five, ms: 60_000 } }, { outage: 3_000 });
    made.at(1_500, () => void made.emulator.inject({ fault: 'empty-429', on: 'stream' }));
    const chunks = made.see(job.chunks$);
    made.until(30_000);
    expect(chunks.error).toMatchObject({ code: 'rate_limit' });
    const reads = tally(made);
    made.until(50_000);
    expect(tally(made)).toEqual(reads);
    const output = made.see(job.output$);
    made.until(200_000);
    expect(output.values).toEqual([all]);
    expect(tally(made)).toMatchObject({ run: 1 });
    expect(tally(made).cancel).toBeUndefined();
  });

  test('a chunk that does not match the schema ends chunks$, and not the job; a later subscriber goes on after it', () => {
    const made = streamed();
    const input: Act = {
      ms: 6_000,
      chunks: [
        [1_000, 1],
        [2_000, 'two'],
        [3_000, 3],
        [4_000, 4],
      ],
    };
    const endpoint = made.client.endpoint('demo', { chunk: schema(number) });
    const job = endpoint.job({ input }, { tag: 'mine' });
    const [chunks, output] = [made.see(job.chunks$), made.see(job.output$)];
    made.until(3_500);
    expect(chunks.values).toEqual([1]);
    expect(chunks.error).toMatchObject({ code: 'job_output', chunk: 'two', jobId: made.emulator.jobs()[0]!.id });
    expect((chunks.error as Error).message).toContain('must be a number');
    expect(output.error).toBeUndefined();
    const again = made.see(job.chunks$);
    made.until(100_000);
    expect([again.values, again.error]).toEqual([[1, 3, 4], undefined]);
    expect(output.values).toHaveLength(1);
    expect(tally(made).run).toBe(1);
    expect(tally(made).cancel).toBeUndefined();
  });

  test('a schema transforms each chunk once', () => {
    const made = streamed();
    let calls = 0;
    const endpoint = made.client.endpoint('demo', {
      chunk: schema((value) => {
        calls++;
        return number(value) * 10;
      }),
    });
    const job = endpoint.job({ input: five }, { stream: true });
    const [chunks, events, output] = [made.see(job.chunks$), made.see(job.events$), made.see(job.output$)];
    made.until(100_000);
    expect(chunks.values).toEqual([10, 20, 30, 40, 50]);
    expect(chunksOf(events.values)).toEqual([10, 20, 30, 40, 50]);
    expect(output.values).toEqual([all]);
    expect(calls).toBe(5);
  });

  test('a job that is gone ends all views', () => {
    const made = world({ endpoints: { demo: streaming() } });
    const job = made.endpoint.job({ input: { ...five, ms: 60_000 }, policy: { ttl: 10_000 } });
    const [chunks, state] = [made.see(job.chunks$), made.see(job.state$)];
    made.until(100_000);
    expect(chunks.values).toEqual(all);
    for (const { error } of [chunks, state]) expect(error).toMatchObject({ code: 'job_expired' });
    expect(tally(made).run).toBe(1);
  });
});
