import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Observable, map, mergeMap, of, throwError } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { JobRequest, Reply, Transport } from 'runpod-rx';
import { memoryBatchStore } from 'runpod-rx/batch';
import { batchFolder } from 'runpod-rx/durable';
import { request, requests, service, type Input } from './support.js';

type Sent = Parameters<Transport>[0];
type Made = ReturnType<typeof service>;

const bad: Reply = { status: 503, headers: {}, text: '' };
const refusal: Reply = { status: 400, headers: {}, text: '{"error":"no"}' };
const isList = ({ method, url }: Sent) => method === 'GET' && /batch\/\w+\/requests\?/.test(url);
const isFinalize = ({ url }: Sent) => url.endsWith('/finalize');
const isAppend = ({ method, url }: Sent) => method === 'POST' && url.endsWith('/requests');

/** A transport that answers some requests itself. */
function answering(made: Made, answer: (sent: Sent) => Reply | undefined): Transport {
  return (sent) => {
    const reply = answer(sent);
    return reply ? of(reply) : made.emulator.transport(sent);
  };
}

function drafts(made: Made) {
  const seen = made.see(made.process().batches.list());
  made.scheduler.flush();
  return (seen.values[0] ?? []).filter(({ status }) => status === 'DRAFT');
}

const indexes = (values: readonly { readonly index: number }[]) => values.map(({ index }) => index).sort();

describe('an outage of some minutes', () => {
  test.each([
    ['the results', ({ url }: Sent) => url.includes('/status/')],
    ['the list of requests', (sent: Sent) => isList(sent)],
    ['the batch', ({ method, url }: Sent) => method === 'GET' && /batch\/\w+$/.test(url)],
  ])('of the reads of %s loses no result', (_name, strikes) => {
    const made = service();
    let isOut = false;
    const transport = answering(made, (sent) => (isOut && strikes(sent) ? bad : undefined));
    const { batches } = made.process(transport);
    const seen = made.see(batches.run(requests(4)));
    made.until(900);
    expect(made.emulator.jobs()).toHaveLength(4);
    isOut = true;
    made.until(200_000);
    expect(seen.error).toBeUndefined();
    isOut = false;
    made.scheduler.maxFrames = Infinity;
    made.scheduler.flush();
    expect(seen.error).toBeUndefined();
    expect(seen.values.every(({ ok }) => ok)).toBe(true);
    expect(indexes(seen.values)).toEqual([0, 1, 2, 3]);
  });
});

test('an outage of a minute after a finalizing whose answer is lost loses no result', () => {
  const made = service();
  let lostAt = Infinity;
  const transport: Transport = (sent) => {
    const now = made.scheduler.now();
    if (isFinalize(sent)) {
      lostAt = now;
      const lost = () => throwError(() => Object.assign(new Error('reset'), { phase: 'sent' }));
      return made.emulator.transport(sent).pipe(mergeMap(lost));
    }
    return now > lostAt && now < lostAt + 60_000 ? of(bad) : made.emulator.transport(sent);
  };
  const seen = made.see(made.process(transport).batches.run(requests(4)));
  made.until(300_000);
  expect(seen.error).toBeUndefined();
  expect(indexes(seen.values)).toEqual([0, 1, 2, 3]);
  expect(seen.values.every(({ ok }) => ok)).toBe(true);
});

test('a batch whose counters never make up its total ends with the results of its requests', () => {
  const made = service();
  const { batches } = made.process((sent) =>
    made.emulator.transport(sent).pipe(
      map((reply) => {
        if (sent.method !== 'GET' || !/batch\/\w+$/.test(sent.url)) return reply;
        const body = JSON.parse(reply.text) as { requestCompleted: number; requestTotal: number };
        const requestCompleted = Math.min(body.requestCompleted, body.requestTotal - 1);
        return { ...reply, text: JSON.stringify({ ...body, requestCompleted }) };
      }),
    ),
  );
  const seen = made.see(batches.run(requests(4)));
  made.until(600_000);
  expect(indexes(seen.values)).toEqual([0, 1, 2, 3]);
  expect(seen.ended).toBeDefined();
});

test('a list that is never at its end ends where it repeats itself', () => {
  const made = service();
  const seen = made.see(
    made
      .process((sent) =>
        made.emulator
          .transport(isList(sent) ? { ...sent, url: sent.url.replace(/offset=\d+/, 'offset=0') } : sent)
          .pipe(
            map((reply) =>
              isList(sent) ? { ...reply, text: reply.text.replace('"hasMore":false', '"hasMore":true') } : reply,
            ),
          ),
      )
      .batches.run(requests(3)),
  );
  made.until(60_000);
  expect(indexes(seen.values)).toEqual([0, 1, 2]);
});

describe('an error before a batch runs', () => {
  test.each([
    ['the addition of requests is refused', (sent: Sent) => isAppend(sent)],
    ['the finalizing is refused', (sent: Sent) => isFinalize(sent)],
  ])('leaves no draft: %s', (_name, strikes) => {
    const made = service();
    const { batches } = made.process(answering(made, (sent) => (strikes(sent) ? refusal : undefined)));
    const seen = made.see(batches.run(requests(4)));
    made.scheduler.flush();
    expect(seen.error).toMatchObject({ code: 'http' });
    expect(drafts(made)).toEqual([]);
    expect(made.runs().size).toBe(0);
  });
});

describe('requests that somebody else adds to a draft', () => {
  /** Adds a request once, before a request of the run's own that it chooses. */
  function adding(made: Made, before: (sent: Sent) => boolean): Transport {
    let isDone = false;
    return (sent) =>
      new Observable<Reply>((subscriber) => {
        if (!isDone && before(sent)) {
          isDone = true;
          const id = /batch\/(\w+)/.exec(sent.url)?.[1] ?? '';
          made.see(made.process().batches.append(id, [request(99)]));
        }
        return made.emulator.transport(sent).subscribe(subscriber);
      });
  }

  test.each([
    [
      'before the last look',
      (made: Made) => adding(made, ({ method, url }) => method === 'GET' && /batch\/\w+$/.test(url)),
    ],
    [
      'while it is filled',
      (made: Made) => adding(made, (sent) => isAppend(sent) && sent.body?.includes('"n":1') === true),
    ],
  ])('%s do not run, and the next run makes a draft of its own', (_name, disturbed) => {
    const made = service();
    const store = memoryBatchStore();
    const first = made.see(made.process(disturbed(made)).batches.run(requests(4), { store }));
    made.scheduler.flush();
    expect(first.error).toMatchObject({ code: 'response' });
    expect(made.runs().size).toBe(0);
    const second = made.see(made.process().batches.run(requests(4), { store }));
    made.scheduler.flush();
    expect(second.error).toBeUndefined();
    expect(
      second.values.every(({ ok, index, ...item }) => ok && 'output' in item && item.output.echo.n === index),
    ).toBe(true);
    expect(made.runs()).toEqual(new Map([0, 1, 2, 3].map((n) => [n, 1])));
    expect(drafts(made)).toEqual([]);
  });
});

describe('left while drafts are made', () => {
  test.each(Array.from({ length: 12 }, (_, at) => at * 10 + 5))(
    'after %i ms: those that wait for their turn are not made, and settled() waits for the one that is',
    (at) => {
      const made = service();
      const seen = made.see(made.batches.run(requests(10), { batchSize: 1, concurrency: 10 }));
      made.until(at);
      const before = made.wire('batch').filter((line) => line.startsWith('POST') && line.endsWith('/batch')).length;
      seen.subscription.unsubscribe();
      let left: unknown;
      made.batches.settled().subscribe({ complete: () => (left = made.emulator.requests().length) });
      made.scheduler.maxFrames = Infinity;
      made.scheduler.flush();
      const all = made.emulator.requests().length;
      expect(left).toBe(all);
      expect(before).toBeLessThanOrEqual(10);
      expect(made.emulator.requests().filter(({ operation }) => operation === 'batch').length).toBeLessThan(40);
      expect(drafts(made)).toEqual([]);
    },
  );
});

test('a batch whose status is not known is over when its requests have ended', () => {
  const made = service();
  const transport: Transport = (sent) =>
    made.emulator
      .transport(sent)
      .pipe(map((reply) => ({ ...reply, text: reply.text.replace('"FINALIZED"', '"COMPLETED"') })));
  const seen = made.see(made.process(transport).batches.run(requests(4)));
  made.until(120_000);
  expect(seen.ended).toBeDefined();
  expect(indexes(seen.values)).toEqual([0, 1, 2, 3]);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('no');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no'))],
])('inputs whose end %s harm nobody', (_name, end) => {
  const made = service();
  const inputs = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<IteratorResult<JobRequest<Input>>>(() => undefined),
      return: end,
    }),
  };
  const seen = made.see(made.batches.run(inputs));
  seen.subscription.unsubscribe();
  expect(seen.error).toBeUndefined();
});

test('a folder that cannot be read is an error: without its records, the batches would run once more', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'runpod-rx-batches-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, 'file'), '');
  await expect(batchFolder(join(folder, 'file')).read()).rejects.toThrow('ENOTDIR');
});
