import { concat, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { runpod } from 'runpod-rx';
import { batches } from 'runpod-rx/batch';
import { request, requests, service } from './support.js';

/** Lets an Observable of a value come to its end in virtual time. */
function ask<T>({ see, scheduler }: ReturnType<typeof service>, source: Parameters<typeof see<T>>[0]): T {
  const seen = see(source);
  scheduler.flush();
  if (seen.error !== undefined) throw seen.error as Error;
  return seen.values.at(-1) as T;
}

test('a draft is made, filled, named, and has requests removed', () => {
  const made = service();
  const id = ask(made, made.batches.create([request(0)]));
  expect(id).toMatch(/^batch_/);
  ask(made, made.batches.append(id, requests(3)));
  ask(made, made.batches.rename(id, 'nightly'));
  const children = ask(made, made.batches.children(id).pipe(toArray()));
  expect(children).toHaveLength(4);
  expect(children[0]?.snapshot.status).toBe('IN_QUEUE');
  ask(made, made.batches.remove(id, String(children[3]?.id)));
  expect(ask(made, made.batches.summary(id))).toMatchObject({
    id,
    name: 'nightly',
    status: 'DRAFT',
    requestTotal: 3,
    requestInProgress: 0,
    requestCompleted: 0,
    requestFailed: 0,
    createdAt: expect.any(Number) as number,
  });
  expect(made.emulator.jobs()).toEqual([]);
});

test('a batch runs when it is finalized, and is watched until it is over', () => {
  const made = service({ endpoints: { demo: { handler: (_, { delay }) => delay(1_000), workers: 1 } } });
  const id = ask(made, made.batches.create(requests(3)));
  const seen = made.see(concat(made.batches.finalize(id), made.batches.watch(id, { every: 300 })));
  made.scheduler.flush();
  expect([...new Set(seen.values.map(({ requestCompleted }) => requestCompleted))]).toEqual([0, 1, 2, 3]);
  expect(seen.values.at(-1)).toMatchObject({ status: 'FINALIZED', requestTotal: 3, requestCompleted: 3 });
  expect(seen.ended).toBeDefined();
  const children = ask(made, made.batches.children(id).pipe(toArray()));
  expect(children.map(({ snapshot }) => snapshot.status)).toEqual(Array(3).fill('COMPLETED'));
  expect(children[0]).toMatchObject({
    startedAt: expect.any(Number) as number,
    completedAt: expect.any(Number) as number,
  });
});

test('requests are read page by page', () => {
  const made = service({ limits: false });
  const id = ask(made, made.batches.create(requests(2_500)));
  const children = ask(made, made.batches.children(id).pipe(toArray()));
  expect(new Set(children.map((child) => child.id)).size).toBe(2_500);
  expect(made.wire('batch').filter((line) => line.includes('batch'))).toHaveLength(1 + 3);
});

test('batches are listed, the newest first', () => {
  const made = service();
  const first = ask(made, made.batches.create());
  const second = ask(made, made.batches.create([request(1)]));
  expect(ask(made, made.batches.list()).map(({ id }) => id)).toEqual([second, first]);
});

test('of a cancelled batch, requests that wait are cancelled, and those that run finish', () => {
  const made = service({ endpoints: { demo: { handler: (_, { delay }) => delay(10_000), workers: 1 } } });
  const id = ask(made, made.batches.create(requests(3)));
  const watched = made.see(concat(made.batches.finalize(id), made.batches.watch(id, { every: 500 })));
  made.at(made.scheduler.now() + 2_000, () => made.see(made.batches.cancel(id)));
  made.scheduler.flush();
  expect(watched.values.at(-1)?.status).toBe('CANCELLED');
  expect(
    made.emulator
      .jobs()
      .map(({ status }) => status)
      .sort(),
  ).toEqual(['CANCELLED', 'CANCELLED', 'COMPLETED']);
});

describe('errors', () => {
  test('a request that cannot be sent is refused before anything is', () => {
    const made = service();
    const seen = made.see(made.batches.create([{ input: { n: NaN } }]));
    made.scheduler.flush();
    expect(seen.error).toMatchObject({ code: 'validation', accepted: 'no' });
    expect(made.wire()).toEqual([]);
  });

  test('what the service refuses is an HttpError, and a change whose answer is lost may have been accepted', () => {
    const made = service({ faults: [{ fault: 'reset-after', on: ['batch'], nth: 2 }] });
    const unknown = made.see(made.batches.finalize('batch_none'));
    made.scheduler.flush();
    expect(unknown.error).toMatchObject({ code: 'not_found', accepted: 'no' });
    const lost = made.see(made.batches.create());
    made.scheduler.flush();
    expect(lost.error).toMatchObject({ code: 'submission_unknown', accepted: 'unknown' });
    expect(made.wire('batch')).toHaveLength(2);
  });

  test('what is no endpoint, and options that cannot work', () => {
    expect(() => batches({} as never)).toThrow('endpoint');
    const endpoint = runpod({ apiKey: 'key' }).endpoint('demo');
    expect(() => batches(endpoint, { schedular: 1 } as never)).toThrow('did you mean scheduler');
    expect(() => batches(endpoint).run([], { concurrency: 11 })).toThrow('from 1 to 10');
    expect(() => batches(endpoint).run(5 as never)).toThrow('iterable');
    expect(() => batches(endpoint).watch('x', { every: -1 })).toThrow('every');
  });
});

test('watch rides out an outage, and gives up after it', () => {
  const made = service({ faults: [{ fault: 'connection-refused', on: ['batch'], probability: 1 }] });
  const seen = made.see(made.batches.watch('batch_x', { outage: 20_000 }));
  made.scheduler.flush();
  expect(seen.error).toMatchObject({ code: 'connection' });
  expect(seen.ended).toBeGreaterThan(20_000);
});
