import { NEVER, Observable, Subject, map, of, tap } from 'rxjs';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Reply, Transport } from 'runpod-rx';
import { memoryBatchStore, type BatchItem, type BatchRecord, type BatchTotals } from 'runpod-rx/batch';
import { batchFolder } from 'runpod-rx/durable';
import { bodyChunks } from '../../src/batch/bodyChunks.js';
import { request, requests, service, type Input } from './support.js';

type Item = BatchItem<Input, { echo: Input }>;

const outputs = (items: readonly Item[]) =>
  items
    .map((item) => [item.index, item.ok ? item.output.echo.n : String(item.error)])
    .sort((one, other) => Number(one[0]) - Number(other[0]));
const each = (count: number) => Array.from({ length: count }, (_, n) => [n, n]);
const once = (count: number) => new Map(Array.from({ length: count }, (_, n) => [n, 1]));

/** What is left of batches at the service: all that is no over. */
function leftovers(made: ReturnType<typeof service>) {
  const seen = made.see(made.process().batches.list());
  made.scheduler.flush();
  return (seen.values[0] ?? []).filter(
    ({ status, requestTotal, requestCompleted, requestFailed }) =>
      status === 'DRAFT' || (status === 'FINALIZED' && requestCompleted + requestFailed < requestTotal),
  );
}

describe('a run', () => {
  test('gives each request its result', () => {
    const made = service();
    const seen = made.see(made.batches.run(requests(25), { batchSize: 10 }));
    made.scheduler.flush();
    expect(outputs(seen.values)).toEqual(each(25));
    expect(seen.ended).toBeDefined();
    expect(made.runs()).toEqual(once(25));
    expect(leftovers(made)).toEqual([]);
  });

  test('of 12 000 requests takes three batches, which are read whole', () => {
    const made = service({
      limits: false,
      endpoints: {
        demo: {
          handler: ({ input }, { delay }) => (input.n === 5 ? { error: 'no' } : delay(1_000)),
          workers: { min: 400, max: 400 },
        },
      },
    });
    const taken: BatchTotals[] = [];
    const seen = made.see(made.batches.run(requests(12_000), { totals: { next: (totals) => taken.push(totals) } }));
    made.scheduler.flush();
    expect(seen.error).toBeUndefined();
    expect(seen.values).toHaveLength(12_000);
    expect(new Set(seen.values.map(({ index }) => index)).size).toBe(12_000);
    expect(new Set(seen.values.map(({ batchId }) => batchId)).size).toBe(3);
    expect(seen.values.filter(({ ok }) => !ok)).toMatchObject([{ index: 5, error: { code: 'job_failed' } }]);
    expect(taken.at(-1)).toEqual({ taken: 12_000, submitted: 12_000, done: 11_999, failed: 1 });
    expect(made.emulator.state().endpoints.demo?.jobs).toMatchObject({ completed: 11_999, failed: 1 });
    expect(leftovers(made)).toEqual([]);
  });

  test('gives each of 5 000 requests an item where their reads end at once, as those of a closed client do', () => {
    const made = service({ limits: false, endpoints: { demo: { handler: () => 1, workers: { min: 400, max: 400 } } } });
    const { client, batches } = made.process();
    let items = 0;
    const counted = made.see(
      batches.run(requests(5_000)).pipe(
        tap(() => {
          items += 1;
          if (items === 100) client.close();
        }),
      ),
    );
    made.scheduler.flush();
    expect(counted.values).toHaveLength(5_000);
    expect(new Set(counted.values.map(({ index }) => index)).size).toBe(5_000);
    expect(counted.values.at(-1)).toMatchObject({ ok: false, error: { code: 'client_closed' } });
  });

  test('ends where thousands of batches are done already', () => {
    const made = service();
    const records: BatchRecord[] = [];
    const store = { read: () => records, write: (record: BatchRecord) => (records[0] = record) };
    const equal = (count: number) => Array.from({ length: count }, () => request(0, 1));
    const run = (count: number) => {
      const seen = made.see(made.batches.run(equal(count), { batchSize: 1, store }));
      made.scheduler.flush();
      return seen;
    };
    expect(run(1).values).toHaveLength(1);
    for (let number = 1; number < 5_000; number++) records.push({ ...records[0]!, number });
    expect(run(5_000)).toMatchObject({ values: [], ended: expect.any(Number) as number });
  });

  test('takes inputs from an async iterable, no more than fit into its batches', async () => {
    const made = service();
    let taken = 0;
    async function* inputs() {
      for (let n = 0; n < 100; n++) {
        taken += 1;
        yield await Promise.resolve(request(n, 60_000));
      }
    }
    const seen = made.see(made.batches.run(inputs(), { batchSize: 10, concurrency: 2 }));
    for (let turns = 0; turns < 200; turns++) {
      await Promise.resolve();
      made.until(made.scheduler.now() + 10);
    }
    expect(taken).toBe(20);
    expect(seen.values).toEqual([]);
    seen.subscription.unsubscribe();
    made.scheduler.maxFrames = Infinity;
    made.scheduler.flush();
    expect(leftovers(made)).toEqual([]);
  });

  test('a request that cannot be sent is a failed item, and the others run', () => {
    const made = service();
    const bad = { input: { n: NaN } };
    const seen = made.see(made.batches.run([request(0), bad, request(2)]));
    made.scheduler.flush();
    expect(seen.values.find(({ index }) => index === 1)).toMatchObject({
      ok: false,
      request: bad,
      error: { code: 'validation' },
    });
    expect(made.runs()).toEqual(
      new Map([
        [0, 1],
        [2, 1],
      ]),
    );
  });

  test('without requests makes no batch', () => {
    const made = service();
    const seen = made.see(made.batches.run([]));
    made.scheduler.flush();
    expect(seen.ended).toBeDefined();
    expect(made.wire()).toEqual([]);
  });

  test('whose list begins with the newest gives each request its own result, too', () => {
    const made = service();
    const reversing: Transport = (sent) =>
      new Observable<Reply>((subscriber) =>
        made.emulator.transport(sent).subscribe({
          next: (reply) => {
            if (!/batch\/\w+\/requests\?/.test(sent.url) || sent.method !== 'GET') {
              subscriber.next(reply);
              return;
            }
            const page = JSON.parse(reply.text) as { requests: unknown[] };
            subscriber.next({ ...reply, text: JSON.stringify({ ...page, requests: page.requests.reverse() }) });
          },
          error: (error: unknown) => {
            subscriber.error(error);
          },
          complete: () => {
            subscriber.complete();
          },
        }),
      );
    const seen = made.see(made.process(reversing).batches.run(requests(7)));
    made.scheduler.flush();
    expect(outputs(seen.values)).toEqual(each(7));
  });

  test('whose list has another order is an error, before anything runs', () => {
    const made = service();
    const shuffling: Transport = (sent) =>
      new Observable<Reply>((subscriber) =>
        made.emulator.transport(sent).subscribe((reply) => {
          if (!/batch\/\w+\/requests\?/.test(sent.url) || sent.method !== 'GET') subscriber.next(reply);
          else {
            const page = JSON.parse(reply.text) as { requests: unknown[] };
            const [first, second, ...others] = page.requests;
            const shuffled = second === undefined ? page.requests : [second, first, ...others];
            subscriber.next({ ...reply, text: JSON.stringify({ ...page, requests: shuffled }) });
          }
          subscriber.complete();
        }),
      );
    const seen = made.see(made.process(shuffling).batches.run(requests(7)));
    made.scheduler.flush();
    expect(seen.error).toMatchObject({ code: 'response', message: expect.stringContaining('order') as string });
    expect(made.emulator.jobs()).toEqual([]);
  });
});

test('parts of a batch are at most 10 MiB', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5_000_000 }), { maxLength: 12 }), (lengths) => {
      const bodies = lengths.map((length) => 'x'.repeat(length));
      const chunks = bodyChunks(bodies);
      expect(chunks.flat()).toEqual(bodies);
      for (const chunk of chunks) {
        const size = `{"requests":[${chunk.join(',')}]}`.length;
        expect(chunk.length === 1 || size <= 10 * 1024 * 1024).toBe(true);
      }
    }),
    { numRuns: 30 },
  );
});

describe('an answer that is lost', () => {
  /** How many calls of the batch API such a run makes. */
  const calls = (() => {
    const made = service();
    made.see(made.batches.run(requests(5), { batchSize: 3, concurrency: 1, every: 500 }));
    made.scheduler.flush();
    return made.wire('batch').length;
  })();

  test.each(
    Array.from({ length: calls }, (_, nth) => nth + 1).flatMap(
      (nth) =>
        [
          [nth, true],
          [nth, false],
        ] as const,
    ),
  )('to call %i of the batch API (accepted: %s): each request runs once, and no draft stays', (nth, accepted) => {
    const made = service({ faults: [{ fault: 'empty-502', on: ['batch'], nth, accepted }] });
    const seen = made.see(made.batches.run(requests(5), { batchSize: 3, concurrency: 1, every: 500 }));
    made.scheduler.flush();
    expect(seen.error).toBeUndefined();
    expect(outputs(seen.values)).toEqual(each(5));
    expect(made.runs()).toEqual(once(5));
    expect(leftovers(made)).toEqual([]);
  });
});

/** A process that ends without a word: what it has sent arrives, and it hears no answer. */
function mortal(transport: Transport): { transport: Transport; kill: () => void; sent: () => number } {
  const died$ = new Subject<never>();
  let isDead = false;
  let sent = 0;
  return {
    kill: () => {
      isDead = true;
      died$.complete();
    },
    sent: () => sent,
    transport: (given) => {
      if (isDead) return NEVER;
      sent += 1;
      return new Observable<Reply>((subscriber) => {
        // Not unsubscribed from: a dead process aborts nothing.
        transport(given).subscribe({
          next: (reply) => {
            if (!isDead) subscriber.next(reply);
          },
          error: (error: unknown) => {
            if (!isDead) subscriber.error(error);
          },
          complete: () => {
            if (!isDead) subscriber.complete();
          },
        });
      });
    },
  };
}

describe('killed, and run again with the store', () => {
  const options = { batchSize: 3, concurrency: 1, every: 500 } as const;

  test.each(Array.from({ length: 40 }, (_, at) => at * 40 + 10))(
    'after %i ms: each request runs once, has a result, and no draft stays',
    (at) => {
      const made = service();
      const store = memoryBatchStore();
      const killed = mortal(made.emulator.transport);
      const first = made.see(made.process(killed.transport).batches.run(requests(5), { ...options, store }));
      made.until(at);
      killed.kill();
      const before = [...first.values];
      made.scheduler.maxFrames = Infinity;
      const second = made.see(made.process().batches.run(requests(5), { ...options, store }));
      made.scheduler.flush();
      expect(second.error).toBeUndefined();
      expect(made.runs()).toEqual(once(5));
      const indexes = new Set([...before, ...second.values].map(({ index }) => index));
      expect(indexes.size).toBe(5);
      for (const item of second.values) expect(item.ok && item.output.echo.n).toBe(item.index);
      expect(leftovers(made)).toEqual([]);
    },
  );

  test('again and again, at random moments', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 6 }), (lives) => {
        const made = service();
        const store = memoryBatchStore();
        const given = new Map<number, Item>();
        const start = (transport: Transport) => {
          const run$ = made.process(transport).batches.run(requests(12, 400), { batchSize: 5, every: 300, store });
          return made.see(new Observable<Item>((subscriber) => run$.subscribe(subscriber)));
        };
        for (const life of lives) {
          const killed = mortal(made.emulator.transport);
          const seen = start(killed.transport);
          made.until(made.scheduler.now() + life);
          killed.kill();
          for (const item of seen.values) given.set(item.index, item);
        }
        made.scheduler.maxFrames = Infinity;
        const last = start(made.emulator.transport);
        made.scheduler.flush();
        for (const item of last.values) given.set(item.index, item);
        expect(last.error).toBeUndefined();
        expect(outputs([...given.values()])).toEqual(each(12));
        expect(made.runs()).toEqual(once(12));
        expect(leftovers(made)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('with other requests is an error, and nothing is sent', () => {
    const made = service();
    const store = memoryBatchStore();
    made.see(made.batches.run(requests(5), { ...options, store }));
    made.scheduler.flush();
    const before = made.emulator.requests().length;
    const again = made.see(made.process().batches.run(requests(5, 7), { ...options, store }));
    made.scheduler.flush();
    expect(again.error).toMatchObject({ code: 'configuration', accepted: 'no' });
    expect(made.emulator.requests()).toHaveLength(before);
  });

  test('what was given is not given again', () => {
    const made = service();
    const store = memoryBatchStore();
    made.see(made.batches.run(requests(5), { ...options, store }));
    made.scheduler.flush();
    const again = made.see(made.process().batches.run(requests(5), { ...options, store }));
    made.scheduler.flush();
    expect(again.values).toEqual([]);
    expect(again.ended).toBeDefined();
  });
});

describe('left', () => {
  test.each(Array.from({ length: 24 }, (_, at) => at * 20 + 5))(
    'after %i ms: what waits is cancelled, what runs finishes, and no draft stays',
    (at) => {
      const made = service({ endpoints: { demo: { handler: (_, { delay }) => delay(2_000), workers: 1 } } });
      const seen = made.see(made.batches.run(requests(6), { batchSize: 3, concurrency: 1 }));
      made.until(at);
      seen.subscription.unsubscribe();
      const settled = made.see(made.batches.settled());
      made.scheduler.maxFrames = Infinity;
      made.scheduler.flush();
      expect(settled.ended).toBeDefined();
      expect(leftovers(made)).toEqual([]);
      expect(made.emulator.jobs().filter(({ status }) => status === 'COMPLETED').length).toBeLessThanOrEqual(1);
    },
  );

  test('with a store goes on, and the next run takes it up', () => {
    const made = service();
    const store = memoryBatchStore();
    const first = made.see(made.batches.run(requests(5), { store }));
    made.until(600);
    first.subscription.unsubscribe();
    made.scheduler.maxFrames = Infinity;
    const second = made.see(made.batches.run(requests(5), { store }));
    made.scheduler.flush();
    expect(outputs(second.values)).toEqual(each(5));
    expect(made.runs()).toEqual(once(5));
    expect(made.wire('batch').some((line) => line.includes('cancel'))).toBe(false);
  });

  test('a cancel that fails is repeated', () => {
    const made = service();
    const seen = made.see(made.batches.run(requests(3, 60_000)));
    made.until(1_000);
    made.emulator.faults.add([{ fault: 'empty-502', on: ['batch'], times: 3 }]);
    seen.subscription.unsubscribe();
    made.scheduler.maxFrames = Infinity;
    made.scheduler.flush();
    expect(leftovers(made)).toEqual([]);
  });
});

test('batchFolder has a record of each batch, also for another process', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'runpod-rx-batches-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const store = batchFolder(join(folder, 'run'));
  expect(await store.read()).toEqual([]);
  const record: BatchRecord = { v: 1, number: 0, fingerprint: 'a', stage: 'creating' };
  await store.write(record);
  await store.write({ ...record, stage: 'filling', id: 'batch_1' });
  await store.write({ ...record, number: 1 });
  expect(await batchFolder(join(folder, 'run')).read()).toEqual([
    { ...record, stage: 'filling', id: 'batch_1' },
    { ...record, number: 1 },
  ]);
  expect(() => batchFolder('')).toThrow('folder');
});

/** A transport that changes the answers to some requests. */
function altering(transport: Transport, alter: (sent: Parameters<Transport>[0], reply: Reply) => Reply): Transport {
  return (sent) => transport(sent).pipe(map((reply) => alter(sent, reply)));
}

test('an error of one batch leaves the others alone: their results come first', () => {
  const made = service();
  let drafts = 0;
  const transport: Transport = (sent) => {
    if (sent.method === 'POST' && sent.url.endsWith('/batch') && ++drafts === 2)
      return of({ status: 400, headers: {}, text: '{"error":"no more"}' });
    return made.emulator.transport(sent);
  };
  const seen = made.see(made.process(transport).batches.run(requests(9, 20_000), { batchSize: 3, every: 300 }));
  made.scheduler.flush();
  expect(seen.error).toMatchObject({ code: 'http', message: expect.stringContaining('no more') as string });
  expect(outputs(seen.values)).toEqual(each(3));
  expect(made.wire('batch').filter((line) => line.includes('cancel'))).toEqual([]);
  expect(leftovers(made)).toEqual([]);
});

test('a draft of somebody else that was there before is not taken', () => {
  const made = service({ faults: [{ fault: 'empty-502', on: ['batch'], nth: 3, accepted: true }] });
  made.see(made.batches.create());
  made.scheduler.flush();
  const seen = made.see(made.batches.run(requests(3)));
  made.scheduler.flush();
  expect(outputs(seen.values)).toEqual(each(3));
  expect(leftovers(made).map(({ name, requestTotal }) => [name, requestTotal])).toEqual([[undefined, 0]]);
});

test('a request that the list shows as running in the end is waited for', () => {
  const made = service();
  const transport = altering(made.emulator.transport, (sent, reply) => {
    if (sent.method !== 'GET' || !sent.url.includes('/requests?')) return reply;
    return { ...reply, text: reply.text.replace(/"COMPLETED"/, '"IN_PROGRESS"') };
  });
  const seen = made.see(made.process(transport).batches.run(requests(3)));
  made.scheduler.flush();
  expect(outputs(seen.values)).toEqual(each(3));
});

test.each(Array.from({ length: 20 }, (_, at) => at * 20 + 5))(
  'left after %i ms with a store, and cancelled: the next run makes a batch again of which nothing ran',
  (at) => {
    const made = service({
      endpoints: {
        demo: { handler: ({ input }, { delay }) => delay(2_000).pipe(map(() => ({ echo: input }))), workers: 1 },
      },
    });
    const store = memoryBatchStore();
    const options = { store, onUnsubscribe: 'cancel' } as const;
    const first = made.see(made.batches.run(requests(4), options));
    made.until(at);
    first.subscription.unsubscribe();
    made.until(at + 10_000);
    const ran = made.runs().size;
    made.scheduler.maxFrames = Infinity;
    const second = made.see(made.process().batches.run(requests(4), options));
    made.scheduler.flush();
    expect(second.error).toBeUndefined();
    expect(second.values).toHaveLength(4);
    expect([...made.runs().values()].every((count) => count === 1)).toBe(true);
    // What was finalized is over: what waited was cancelled.
    const completed = second.values.filter(({ ok }) => ok).length;
    expect(completed).toBe(ran === 0 ? 4 : ran);
    expect(leftovers(made)).toEqual([]);
  },
);
