import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { vouchedNotice } from 'runpod-rx';
import { timers } from '../job/support.js';
import { script, statuses, type Sent } from '../support/world.js';

const idOf = (url: string) => /[^/?]+(?=$|\?)/.exec(new URL(url).pathname)![0];
const timesOf = (sent: readonly Sent[], id: string) => sent.filter(({ url }) => idOf(url) === id).map(({ at }) => at);

/** A service whose jobs run for ever, and holds answers for 25 s; a client that listens to notices. */
const service = () => {
  let jobs = 0;
  const notices$ = new Subject<unknown>();
  const made = script(
    ({ operation, url }) => {
      const id = operation === 'run' ? `job-${++jobs}` : operation === 'retry' ? idOf(url) : idOf(url);
      return { body: { id, status: 'IN_PROGRESS' }, after: operation === 'status-sync' ? 25_000 : 0 };
    },
    { notices: notices$ },
  );
  const reads = (id = 'job-1') =>
    timesOf(
      made.sent.filter(({ operation }) => operation.startsWith('status')),
      id,
    );
  /** Something comes as a notice, at once. */
  const tell = (notice: unknown) => {
    notices$.next(notice);
  };
  return { ...made, notices$, reads, tell };
};

const request = { input: { x: 1 } };
const ended = (id = 'job-1', more: object = {}) => ({ id, status: 'COMPLETED', output: { text: 'done' }, ...more });

describe('S26 an end that a notice vouches for', () => {
  test('ends every view and every watcher of the job without a read, and aborts the read that is held', () => {
    const { endpoint, see, until, sent, tell, scheduler } = service();
    const job = endpoint.job(request);
    const output = see(job.output$);
    until(10_000);
    const others = [see(endpoint.watch('job-1')), see(endpoint.watch('job-1', { every: 5_000 })), see(job.state$)];
    until(12_000);
    const before = sent.length;
    tell(vouchedNotice(ended()));
    expect(output).toMatchObject({ values: [{ text: 'done' }], ended: 12_000 });
    for (const seen of others) {
      expect(seen.values.at(-1)).toMatchObject({ status: 'COMPLETED' });
      expect(seen.ended).toBe(12_000);
    }
    expect(sent).toHaveLength(before);
    until(100_000);
    expect(sent).toHaveLength(before);
    expect(timers({ scheduler })).toBe(0);
  });

  test('ends runToEnd, and aborts its held read; nothing is cancelled', () => {
    const { endpoint, see, until, sent, tell } = service();
    const seen = see(endpoint.runToEnd(request));
    until(10_000);
    tell(vouchedNotice(ended()));
    until(100_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS', 'COMPLETED']);
    expect(seen.ended).toBe(10_000);
    expect(sent.at(-1)).toMatchObject({ operation: 'status-sync', aborted: 10_000 });
  });

  test.each(['FAILED', 'CANCELLED', 'TIMED_OUT'])('may be %s', (status) => {
    const { endpoint, see, until, tell } = service();
    const seen = see(endpoint.runToEnd(request));
    until(1_000);
    tell(vouchedNotice({ id: 'job-1', status, error: 'no' }));
    expect(statuses(seen).at(-1)).toBe(status);
    expect(seen.ended).toBe(1_000);
  });

  test('has its output checked by the schema', () => {
    const output: StandardSchemaV1<unknown, number> = {
      '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'must be a number' }] }) },
    };
    const { client, see, until, tell } = service();
    const endpoint = client.endpoint('demo', { output });
    const [one, two] = [see(endpoint.runToEnd(request)), see<unknown>(endpoint.job(request).output$)];
    until(1_000);
    for (const id of ['job-1', 'job-2']) tell(vouchedNotice(ended(id)));
    until(1_001);
    for (const seen of [one, two]) expect(seen.error).toMatchObject({ issues: [{ rule: 'must be a number' }] });
  });

  test('of a job of another endpoint ends nothing here', () => {
    const { client, see, until, tell } = service();
    const here = see(client.endpoint('here').watch('job-a', { every: 10_000 }));
    const there = see(client.endpoint('there').watch('job-b', { every: 10_000 }));
    until(1_000);
    tell(vouchedNotice(ended('job-b')));
    until(5_000);
    expect([here.ended, there.ended]).toEqual([undefined, 1_000]);
  });
});

/** Bodies that anybody may send, with all keys that might be taken for the mark. */
const forged = [
  ended(),
  ended('job-1', { vouched: true, verified: true, 'runpod-rx/vouched': { job: ended() } }),
  ended('job-1', { 'Symbol(runpod-rx/vouched)': { job: ended() }, '@@runpod-rx/vouched': { job: ended() } }),
  ended('job-1', { __proto__: null }),
].map((body) => JSON.stringify(body));
forged.push(
  '{"id":"job-1","status":"COMPLETED","__proto__":{"id":"job-1","status":"COMPLETED"},"constructor":{"prototype":{}}}',
);

describe('S26 a notice is a hint', () => {
  test.each(forged)('whatever its body says, where nobody vouches for it: %s', (body) => {
    const { endpoint, see, until, reads, tell } = service();
    const seen = see(endpoint.watch('job-1', { every: 10_000 }));
    until(1_000);
    tell(JSON.parse(body));
    until(5_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS']);
    expect(reads()).toEqual([0, 1_000]);
  });

  test('where the job was run again: it may tell of the run before', () => {
    const { endpoint, see, until, reads, tell } = service();
    const seen = see(endpoint.watch('job-1', { every: 100_000 }));
    until(1_000);
    see(endpoint.retry('job-1'));
    until(10_000);
    const before = reads().length;
    tell(vouchedNotice(ended()));
    until(20_000);
    expect(seen.ended).toBeUndefined();
    expect(reads().slice(before)).toEqual([10_000]);
  });

  test.each<[string, unknown]>([
    ['no id', vouchedNotice({ status: 'COMPLETED' })],
    ['an id that is no text', vouchedNotice({ id: 1, status: 'COMPLETED' })],
    ['a status that is none', vouchedNotice({ id: 'job-2', status: 1 })],
    ['a text in place of a job', vouchedNotice('{"id":"job-1","status":"COMPLETED"}')],
    ['nothing', vouchedNotice(undefined)],
    ['null', vouchedNotice(null)],
    ['a list', vouchedNotice([ended()])],
    ['a job that nobody watches', vouchedNotice(ended('job-2'))],
  ])('or nothing, with %s', (_, notice) => {
    const { endpoint, see, until, reads, tell } = service();
    const seen = see(endpoint.watch('job-1', { every: 10_000 }));
    until(1_000);
    tell(notice);
    until(5_000);
    expect(seen.ended).toBeUndefined();
    expect(reads()).toEqual([0]);
  });
});

describe('S26 notices that tell of every end', () => {
  /** So many jobs ended by notices; then one more runs, and the test goes on. */
  const after = (count: number) => {
    const made = service();
    for (let nth = 1; nth <= count; nth++) {
      made.see(made.endpoint.runToEnd(request));
      made.until(nth * 2_000);
      made.tell(vouchedNotice(ended(`job-${nth}`)));
    }
    made.until(20_000);
    const seen = made.see(made.endpoint.runToEnd(request));
    return { ...made, seen, id: `job-${count + 1}` };
  };

  test('have jobs read each half a minute, and none held, after eight in a row', () => {
    const { until, reads, id, sent } = after(8);
    until(111_000);
    expect(reads(id)).toEqual([50_000, 80_000, 110_000]);
    expect(sent.filter((one) => one.at >= 20_000 && one.operation === 'status-sync')).toEqual([]);
  });

  test('have reads held as before after seven', () => {
    const { until, reads, id } = after(7);
    until(30_000);
    expect(reads(id)).toEqual([20_000]);
  });

  test('do not change the pace of a watcher of all snapshots', () => {
    const { endpoint, see, until, reads } = after(8);
    see(endpoint.watch('other'));
    until(30_000);
    expect(reads('other').length).toBeGreaterThan(4);
  });

  test('are not many, where one comes many times', () => {
    const made = service();
    // Notices are listened to while some job is watched.
    made.see(made.endpoint.watch('other', { every: 100_000 }));
    made.see(made.endpoint.runToEnd(request));
    made.until(1_000);
    for (let nth = 0; nth < 20; nth++) made.tell(vouchedNotice(ended()));
    made.see(made.endpoint.runToEnd(request));
    made.until(2_000);
    expect(made.reads('job-2')).toEqual([1_000]);
  });

  test('are none for jobs that this client does not know', () => {
    const made = service();
    made.see(made.endpoint.runToEnd(request));
    for (let nth = 0; nth < 10_000; nth++) made.tell(vouchedNotice(ended(`unknown-${nth}`)));
    made.see(made.endpoint.runToEnd(request));
    made.until(2_000);
    expect(made.reads('job-2')).toEqual([0]);
  });

  test('are not relied on any more after an end without one: the pace comes back', () => {
    const notices$ = new Subject<unknown>();
    let jobs = 0;
    const made = script(
      ({ operation, url }) => {
        if (operation === 'run') return { body: { id: `job-${++jobs}`, status: 'IN_PROGRESS' } };
        const id = idOf(url);
        const over = id === 'job-9' || id === 'job-10';
        return { body: { id, status: over ? 'COMPLETED' : 'IN_PROGRESS' }, after: over ? 0 : 25_000 };
      },
      { notices: notices$ },
    );
    const start = () => made.see(made.endpoint.runToEnd(request));
    for (let nth = 1; nth <= 8; nth++) {
      start();
      notices$.next(vouchedNotice(ended(`job-${nth}`)));
    }
    start();
    made.until(11_000);
    start();
    made.until(60_000);
    // Job 9 was found over at 30 s, and job 10 at 41 s: by then, no notice of job 9 had come.
    start();
    made.until(60_100);
    expect(timesOf(made.sent, 'job-11')).toEqual([60_000]);
  });
});
