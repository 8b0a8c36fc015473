import { describe, expect, test } from 'vitest';
import { GroupWriter } from '../../../src/durable/database/GroupWriter.js';
import { Journal } from '../../../src/durable/file/Journal.js';
import { recordOf } from '../../../src/durable/file/records.js';
import { faultyDisk } from '../file/faultyDisk.js';

/** What writes in groups. */
const writers = {
  GroupWriter: () => {
    const writer = new GroupWriter<string>(() => undefined);
    return (key: string) => writer.add(key);
  },
  Journal: async () => {
    const journal = await Journal.open('/data/jobs.journal', faultyDisk().disk);
    return (key: string) => journal.append(recordOf({ key, fingerprint: '', state: 'wanted', generation: 1 }));
  },
};

describe.each(['GroupWriter', 'Journal'] as const)('S37 %s', (kind) => {
  test.each([0, 1, 2, 3, 4, 5, 6])('writes what comes %i turns after a group has ended', async (turns) => {
    const write = await writers[kind]();
    const ended = write('a');
    let written = false;
    void ended.then(async () => {
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await write('b');
      written = true;
    });
    await ended;
    for (let turn = 0; turn < 200; turn++) await Promise.resolve();
    expect(written).toBe(true);
  });
});
