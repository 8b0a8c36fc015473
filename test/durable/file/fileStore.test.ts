import { describe, expect, test } from 'vitest';
import type { JobRow, JobStore } from 'runpod-rx/durable';
import { fileStoreOn } from '../../../src/durable/file/fileStore.js';
import { rowsOf } from '../support.js';
import { faultyDisk, type Faults } from './faultyDisk.js';

const path = '/data/jobs.journal';
const row = (key: string, more: Partial<JobRow> = {}): JobRow => ({
  key,
  fingerprint: 'f'.repeat(32),
  state: 'sending',
  generation: 1,
  ...more,
});

/** A store, and what a new process finds after a crash at any moment. */
function onDisk(faults: Faults = {}) {
  const made = faultyDisk(faults);
  const store = fileStoreOn(made.disk, path);
  /** Another process, after this one was killed: nothing but the files is left, and its lock is that of a dead one. */
  const afterCrash = (bytes = made.files.get(path)!) => {
    const next = faultyDisk();
    next.files.set(path, Buffer.from(bytes));
    return fileStoreOn(next.disk, path);
  };
  return { ...made, store, afterCrash, bytes: () => made.files.get(path)! };
}

const put = (store: JobStore, ...rows: JobRow[]) => Promise.all(rows.map((one) => store.put(one) as Promise<void>));

describe('S37 fileStore', () => {
  test('keeps rows, and has them after a crash', async () => {
    const { store, afterCrash } = onDisk();
    const ref = { v: 1, endpointId: 'demo', id: 'job-1' } as const;
    const a = row('a', { state: 'submitted', ref });
    const b = row('b "\\\n\t€', { state: 'ended', end: { job: { id: 'job-2', output: 'line\n#1 00000000\n' } } });
    await put(store, row('a'), b);
    await put(store, a);
    expect(await store.get('a')).toEqual(a);
    const next = afterCrash();
    expect(await next.get('a')).toEqual(a);
    expect(await next.get('b "\\\n\t€')).toEqual(b);
    expect(await next.get('c')).toBeUndefined();
    expect(await rowsOf(next)).toEqual([a, b]);
    expect(await rowsOf({ ...next, rows: () => next.rows('ended') })).toEqual([b]);
  });

  test('keeps that a result was committed, and forgets a key', async () => {
    const { store, afterCrash } = onDisk();
    const a = row('a', { state: 'ended', end: { job: {} } });
    await put(store, a, row('b'), row('c'));
    await store.commit('a');
    await store.commit('b');
    await store.delete('c');
    for (const one of [store, afterCrash()]) expect(await rowsOf(one)).toEqual([{ ...a, committed: true }, row('b')]);
  });

  test('takes the next job of a key that is written meanwhile for no committed result', async () => {
    const { store, afterCrash } = onDisk();
    const next = row('a', { state: 'wanted', generation: 2 });
    await put(store, row('a', { state: 'ended', end: { job: {} } }));
    await Promise.all([store.put(next), store.commit('a')]);
    for (const one of [store, afterCrash()]) expect(await rowsOf(one)).toEqual([next]);
  });

  test('keeps integers beyond 2^53', async () => {
    const { store, afterCrash } = onDisk();
    const a = row('a', { state: 'ended', end: { job: { output: { big: 2n ** 64n, small: { $bigint: 'x' } } } } });
    await put(store, a);
    expect(await afterCrash().get('a')).toEqual(a);
  });

  test('keeps objects of an output that look like such an integer', async () => {
    const { store, afterCrash } = onDisk();
    const output = [
      { $bigint: '12' },
      { $$bigint: '12' },
      { $bigint: 12n },
      { $bigint: { $bigint: 'x' } },
      ['$bigint'],
    ];
    const a = row('a', { state: 'ended', end: { job: { output } } });
    await put(store, a);
    expect(await afterCrash().get('a')).toEqual(a);
  });

  test('syncs changes that come at once together, and before it says so', async () => {
    const { store, syncs } = onDisk();
    await put(store, row('first'));
    const before = syncs.length;
    let done = 0;
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        await put(store, row(String(n)));
        expect(syncs.length).toBeGreaterThan(before);
        done++;
      }),
    );
    expect([done, syncs.length - before]).toEqual([50, 1]);
  });

  test('a record that was torn at any byte is gone, what came before it is there, and what comes after it as well', async () => {
    const { store, bytes, afterCrash } = onDisk();
    await put(store, row('a'));
    await put(store, row('b'), row('c', { state: 'ended', end: { job: { output: 'x'.repeat(50) } } }));
    const whole = bytes();
    const firstEnd = whole.indexOf('\n#', whole.indexOf('\n#') + 1) + 1;
    for (let cut = 0; cut <= whole.length; cut++) {
      const next = afterCrash(whole.subarray(0, cut));
      const found = (await rowsOf(next)).map(({ key }) => key);
      // Both records of a frame, or none.
      expect([[], ['a'], ['a', 'b', 'c']]).toContainEqual(found);
      expect(found.includes('a')).toBe(cut >= firstEnd);
      expect(found.includes('b')).toBe(cut === whole.length);
      await put(next, row('d'));
      expect((await rowsOf(next)).map(({ key }) => key)).toEqual([...found, 'd']);
    }
  }, 300_000);

  test('the same after an append to what was cut, and a further crash', async () => {
    const { store, bytes } = onDisk();
    await put(store, row('a'));
    await put(store, row('b'));
    for (let cut = bytes().length - 1; cut > bytes().length - 40; cut--) {
      const next = faultyDisk();
      next.files.set(path, Buffer.from(bytes().subarray(0, cut)));
      await put(fileStoreOn(next.disk, path), row('c'));
      const last = faultyDisk();
      last.files.set(path, next.files.get(path)!);
      expect((await rowsOf(fileStoreOn(last.disk, path))).map(({ key }) => key)).toEqual(['a', 'c']);
    }
  });

  test('a changed byte before the end is an error that names the place, and never a guess', async () => {
    const { store, bytes, afterCrash } = onDisk();
    await put(store, row('a'));
    await put(store, row('b'));
    const whole = bytes();
    const last = whole.lastIndexOf('\n#') + 1;
    for (let at = 0; at < last; at++) {
      const changed = Buffer.from(whole);
      changed[at] = changed[at]! ^ 4;
      await expect(afterCrash(changed).get('a')).rejects.toThrow(/is damaged at byte \d+|is no journal/);
    }
  });

  test('holes that a loss of power left in the last frame are cut off', async () => {
    const { store, bytes, afterCrash } = onDisk();
    await put(store, row('a'));
    await put(store, row('b'), row('c'));
    const holed = Buffer.from(bytes());
    holed.fill(0, holed.lastIndexOf('\n#') + 10, holed.lastIndexOf('\n#') + 30);
    expect(await rowsOf(afterCrash(holed))).toEqual([row('a')]);
  });

  // Quadratic, it would take minutes.
  test('a torn output of millions of number signs is cut off in linear time', async () => {
    const { store, bytes, afterCrash } = onDisk();
    await put(store, row('a'));
    await put(store, row('b', { state: 'ended', end: { job: { output: '#'.repeat(6_000_000) } } }));
    const torn = Buffer.from(bytes().subarray(0, -1));
    torn[torn.length - 1] = 10;
    expect(await rowsOf(afterCrash(torn))).toEqual([row('a')]);
  }, 60_000);

  test('another file is left as it is', async () => {
    const made = faultyDisk();
    made.files.set(path, Buffer.from('{"not": "a journal"}\n'));
    await expect(fileStoreOn(made.disk, path).get('a')).rejects.toThrow(/is no journal of runpod-rx/);
    expect(String(made.files.get(path))).toBe('{"not": "a journal"}\n');
  });

  test.each([1, 7, 100])('writes that come short, %i bytes at a time, are written on', async (most) => {
    const { store, afterCrash } = onDisk({ most });
    await put(store, row('a'), row('b'));
    expect(await rowsOf(afterCrash())).toEqual([row('a'), row('b')]);
  });

  test('a full disk fails the write, confirms nothing, and is written to again when there is room', async () => {
    const { store, faults, afterCrash } = onDisk();
    await put(store, row('a'));
    const changed = row('a', { state: 'submitted', ref: { v: 1, endpointId: 'e', id: 'i' } });
    for (const room of [0, 1, 25, 60]) {
      faults.room = room;
      await expect(store.put(changed)).rejects.toThrow('ENOSPC');
      for (const one of [store, afterCrash()]) expect(await rowsOf(one)).toEqual([row('a')]);
    }
    delete faults.room;
    await put(store, changed);
    for (const one of [store, afterCrash()]) expect(await rowsOf(one)).toEqual([changed]);
  });

  test('a full disk that cannot even be cut takes nothing more, and the rest is whole', async () => {
    const { store, faults, afterCrash } = onDisk();
    await put(store, row('a'));
    Object.assign(faults, { room: 30, noTruncate: true });
    await expect(store.put(row('b'))).rejects.toThrow('ENOSPC');
    Object.assign(faults, { room: 1e6, noTruncate: false });
    await expect(store.put(row('c'))).rejects.toThrow('ENOSPC');
    for (const one of [store, afterCrash()]) expect(await rowsOf(one)).toEqual([row('a')]);
  });

  test('a sync that fails confirms nothing, and nothing is written after it', async () => {
    const { store, faults } = onDisk();
    await put(store, row('a'));
    faults.noSync = true;
    await expect(store.put(row('b'))).rejects.toThrow('EIO');
    faults.noSync = false;
    await expect(store.put(row('c'))).rejects.toThrow('EIO');
    expect(await rowsOf(store)).toEqual([row('a')]);
  });

  test('is compacted, and is read, written and crashed meanwhile', async () => {
    const { store, files, bytes, afterCrash } = onDisk();
    const output = 'x'.repeat(100_000);
    const big = (key: string, n: number) => row(key, { state: 'ended', end: { job: { n, output } } });
    await put(store, row('kept'), big('gone', 0));
    await put(store, row('done', { state: 'ended', end: { job: {} } }));
    await store.commit('done');
    await store.delete('gone');
    for (let n = 0; n < 400; n++) {
      const [, found] = await Promise.all([put(store, big('a', n)), store.get('kept'), store.get('a')]);
      expect(found).toEqual(row('kept'));
    }
    expect(bytes().length).toBeLessThan(25_000_000);
    expect([...files.keys()]).toEqual([path]);
    const next = afterCrash();
    expect((await rowsOf(next)).map(({ key, committed = false, end }) => [key, committed, Object(end).job?.n])).toEqual(
      [
        ['kept', false, undefined],
        ['done', true, undefined],
        ['a', false, 399],
      ],
    );
  });

  test('a compaction that fails leaves the journal as it was', async () => {
    const { store, disk, afterCrash } = onDisk();
    disk.rename = () => Promise.reject(new Error('EXDEV'));
    const output = 'x'.repeat(1_000_000);
    for (let n = 0; n < 40; n++) await put(store, row('a', { state: 'ended', end: { job: { n, output } } }));
    for (const one of [store, afterCrash()]) expect(await one.get('a')).toMatchObject({ end: { job: { n: 39 } } });
  });

  test('has one owner: another is refused until it is closed', async () => {
    const { store, disk } = onDisk();
    await put(store, row('a'));
    const other = fileStoreOn(disk, path);
    await expect(other.get('a')).rejects.toThrow(`${path} is owned by process ${process.pid} on `);
    await store.close();
    await expect(store.get('a')).rejects.toThrow('was closed');
    expect(await other.get('a')).toEqual(row('a'));
    await other.close();
  });

  test.each([
    ['another machine', { host: 'elsewhere' }, /cannot be told from here: .* remove .*lock\.1$/],
    ['another container', { space: 'pid:[1]' }, /cannot be told from here/],
    ['a process of the same number that was started at another time', { startedAt: '1' }, undefined],
    ['a number that no process has', { pid: 2 ** 22 + 1 }, undefined],
  ])('an owner on %s', async (_, other, refusal) => {
    const { store, disk, texts } = onDisk();
    await put(store, row('a'));
    const lock = [...texts.keys()].find((name) => name.endsWith('.lock.1'))!;
    texts.set(lock, JSON.stringify({ ...JSON.parse(texts.get(lock)!), ...other }));
    const found = fileStoreOn(disk, path).get('a');
    if (refusal) await expect(found).rejects.toThrow(refusal);
    else expect(await found).toEqual(row('a'));
  });

  test('an empty lock file is no free one', async () => {
    const { store, disk, texts } = onDisk();
    await put(store, row('a'));
    texts.set(
      [...texts.keys()].find((name) => name.endsWith('.lock.1'))!,
      '',
    );
    await expect(fileStoreOn(disk, path).get('a')).rejects.toThrow(/a process that its lock file does not name/);
  });
});
