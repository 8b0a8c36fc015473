import { EMPTY, NEVER, lastValueFrom, of, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { WebhookStore } from 'runpod-rx/server';
import { memoryStore } from '../../../src/server/webhooks/memoryStore.js';
import { clock } from '../../support/world.js';
import { ended, receiver } from './support.js';

type Made = ReturnType<typeof receiver>;
const vouchedOf = ({ told }: Made) => told().map(({ vouched, job }) => `${(job as { id: string }).id}: ${vouched}`);
const tell = ({ webhooks }: Made, key: string, id: string) =>
  lastValueFrom(webhooks.submitted(key, id), { defaultValue: undefined });

describe('S26 what a webhook of a key is believed', () => {
  test('another id than the first is a hint, and resolves nothing', async () => {
    const made = receiver();
    for (const id of ['job-1', 'job-2', 'job-1']) await made.post(made.urlOf('a'), ended(id));
    expect(vouchedOf(made)).toEqual(['job-1: url', 'job-2: no', 'job-1: no']);
    expect(made.resolved).toEqual([{ key: 'a', id: 'job-1' }]);
  });

  test('the id of another key is a hint, and keeps neither key from its own', async () => {
    const made = receiver();
    await made.post(made.urlOf('b'), ended('job-b'));
    await made.post(made.urlOf('a'), ended('job-b', { output: 'forged' }));
    await made.post(made.urlOf('a'), ended('job-a'));
    expect(vouchedOf(made)).toEqual(['job-b: url', 'job-b: no', 'job-a: url']);
    expect(made.resolved).toEqual([
      { key: 'b', id: 'job-b' },
      { key: 'a', id: 'job-a' },
    ]);
  });

  test('an id that belongs to nobody yet is vouched for to the job with the same URL only', async () => {
    const made = receiver();
    await made.post(made.urlOf('a'), ended('job-b', { output: 'forged' }));
    await made.post(made.urlOf('b'), ended('job-b'));
    expect(made.told()).toMatchObject([{ vouched: 'url', webhook: made.urlOf('a') }, { vouched: 'no' }]);
  });

  test('what the caller has told counts more than any claim, before it and after it', async () => {
    const made = receiver();
    await made.post(made.urlOf('a'), ended('job-x', { output: 'forged' }));
    await tell(made, 'a', 'job-a');
    await tell(made, 'b', 'job-b');
    for (const id of ['job-x', 'job-b', 'job-y']) await made.post(made.urlOf('a'), ended(id, { output: 'forged' }));
    await made.post(made.urlOf('c'), ended('job-a', { output: 'forged' }));
    await made.post(made.urlOf('a'), ended('job-a'));
    await made.post(made.urlOf('b'), ended('job-b'));
    expect(vouchedOf(made)).toEqual([
      'job-x: url',
      'job-x: no',
      'job-b: no',
      'job-y: no',
      'job-a: no',
      'job-a: any',
      'job-b: any',
    ]);
    expect(made.resolved).toEqual([
      { key: 'a', id: 'job-x' },
      { key: 'b', id: 'job-b' },
    ]);
  });

  test('a key that is told anew belongs to the new job', async () => {
    const made = receiver();
    for (const id of ['job-1', 'job-2']) {
      await tell(made, 'a', id);
      await made.post(made.urlOf('a'), ended(id));
    }
    expect(vouchedOf(made)).toEqual(['job-1: any', 'job-2: any']);
  });

  test('is remembered for 8 days: a job lives for 7 at most', async () => {
    const made = receiver();
    const day = 86_400_000;
    await made.post(made.urlOf('a'), ended('job-1'));
    made.until(8 * day - 1);
    await made.post(made.urlOf('a'), ended('job-2'));
    expect(made.resolved).toHaveLength(1);
    made.until(8 * day);
    await made.post(made.urlOf('a'), ended('job-2'));
    expect(made.resolved).toHaveLength(2);
  });
});

test('the store in memory keeps the newest 100 000 names', () => {
  const store = memoryStore(clock().scheduler);
  for (let nth = 0; nth <= 100_000; nth++) void store.add(`name-${nth}`, 'value', 1_000);
  expect(['name-0', 'name-1', 'name-100000'].map((name) => store.get(name))).toEqual([undefined, 'value', 'value']);
});

/** A store that is elsewhere: it answers later. */
function remote(table = new Map<string, string>()): WebhookStore {
  return {
    get: (name) => Promise.resolve(table.get(name) ?? null),
    set: (name, value) => {
      table.set(name, value);
      return EMPTY;
    },
    add: (name, value) => {
      const previous = table.get(name);
      if (previous === undefined) table.set(name, value);
      return of(previous ?? null);
    },
  };
}

describe('a store that several processes share', () => {
  test('has a webhook believed by the process that gets it, and resolved once', async () => {
    const table = new Map<string, string>();
    const [one, two] = [receiver({ store: remote(table) }), receiver({ store: remote(table) })];
    await tell(one, 'a', 'job-a');
    await two.post(two.urlOf('a'), ended('job-a'));
    await one.post(one.urlOf('a'), ended('job-a'));
    await one.post(one.urlOf('b'), ended('job-a'));
    expect([vouchedOf(one), vouchedOf(two)]).toEqual([['job-a: any', 'job-a: no'], ['job-a: any']]);
    expect([one.resolved, two.resolved]).toEqual([[], [{ key: 'a', id: 'job-a' }]]);
  });

  test('decides for one of two webhooks that come at once', async () => {
    const made = receiver({ store: remote() });
    await Promise.all(['job-1', 'job-2'].map((id) => made.post(made.urlOf('a'), ended(id))));
    expect(new Set(made.told().map(({ vouched }) => vouched))).toEqual(new Set(['url', 'no']));
    expect(made.resolved).toHaveLength(1);
  });

  test('decides for one of two keys that claim a job at once', async () => {
    const made = receiver({ store: remote() });
    await Promise.all(['a', 'b'].map((key) => made.post(made.urlOf(key), ended('job-1'))));
    expect(new Set(made.told().map(({ vouched }) => vouched))).toEqual(new Set(['url', 'no']));
    expect(made.resolved).toHaveLength(1);
  });
});

const fail = () => {
  throw new Error('words of the database');
};

describe('a store that fails has the webhook sent again, and vouches for nothing', () => {
  test.each<[string, Partial<WebhookStore>]>([
    ['throws', { get: fail }],
    ['rejects', { get: () => Promise.reject(new Error('no')) }],
    ['errors while it adds', { add: () => throwError(() => new Error('no')) }],
    ['gives no text', { get: () => of(5 as never) }],
  ])('%s', async (_, store) => {
    const made = receiver({ store: { ...remote(), ...store } });
    const { status, body, headers } = await made.send(made.urlOf('a'), { body: JSON.stringify(ended('job-1')) });
    expect([status, headers.get('cache-control')]).toEqual([503, 'no-store']);
    expect(body).not.toContain('words of the database');
    expect([made.told(), made.resolved]).toEqual([[], []]);
  });

  test('never answers', async () => {
    let asked: () => void;
    const asking = new Promise<void>((resolve) => (asked = resolve));
    const get = () => {
      asked();
      return NEVER;
    };
    const made = receiver({ store: { ...remote(), get } });
    const answer = made.post(made.urlOf('a'), ended('job-1'));
    await asking;
    // The wait for it begins in the same turn.
    await Promise.resolve();
    made.until(10_000);
    expect(await answer).toBe(503);
  });

  test('and then does not: the next try is taken', async () => {
    const store = remote();
    let failing = true;
    const made = receiver({ store: { ...store, add: (...given) => (failing ? fail() : store.add(...given)) } });
    expect(await made.post(made.urlOf('a'), ended('job-1'))).toBe(503);
    failing = false;
    expect(await made.post(made.urlOf('a'), ended('job-1'))).toBe(200);
    expect([vouchedOf(made), made.resolved.length]).toEqual([['job-1: url'], 1]);
  });

  test.each([
    ['another process gets the next try', true],
    ['the same process gets the next try', false],
  ])('in the midst of a claim: %s, and resolves the key', async (_, isOther) => {
    const table = new Map<string, string>();
    const store = remote(table);
    const failing = {
      ...store,
      add: (...given: Parameters<WebhookStore['add']>) =>
        given[0].startsWith('claimer') ? fail() : store.add(...given),
    };
    const one = receiver({ store: failing });
    expect(await one.post(one.urlOf('a'), ended('job-1'))).toBe(503);
    failing.add = store.add;
    const next = isOther ? receiver({ store }) : one;
    for (const id of ['job-2', 'job-1', 'job-1']) expect(await next.post(next.urlOf('a'), ended(id))).toBe(200);
    expect(next.resolved).toEqual([{ key: 'a', id: 'job-1' }]);
  });

  test('after it has written: the next try resolves the key all the same, once', async () => {
    const store = remote();
    let isLost = true;
    const add: WebhookStore['add'] = (...given) => {
      const previous = store.add(...given);
      return isLost && given[0].startsWith('claimer') ? fail() : previous;
    };
    const made = receiver({ store: { ...store, add } });
    expect(await made.post(made.urlOf('a'), ended('job-1'))).toBe(503);
    isLost = false;
    for (let times = 0; times < 2; times++) expect(await made.post(made.urlOf('a'), ended('job-1'))).toBe(200);
    expect(made.resolved).toEqual([{ key: 'a', id: 'job-1' }]);
  });

  test('submitted gives its error to who asks', async () => {
    const made = receiver({ store: { ...remote(), set: fail } });
    await expect(tell(made, 'a', 'job-1')).rejects.toThrow('words of the database');
    made.webhooks.submitted('a', 'job-1');
  });
});
