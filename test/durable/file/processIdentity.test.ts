import { describe, expect, test } from 'vitest';
import { livenessOf, ownIdentity, type ProcessIdentity } from '../../../src/durable/file/processIdentity.js';

const machine: ProcessIdentity = {
  pid: process.pid,
  host: 'worker',
  machine: '3d1219c7c4c5404aaa1f6d2a48adfda4',
  boot: 'this one',
  space: 'pid:[4026531836]',
  startedAt: '1234',
};
const gone = 2 ** 22 + 1;

describe('S37 whether an owner is alive', () => {
  test.each<[string, Partial<ProcessIdentity>, Partial<ProcessIdentity>, string]>([
    ['this machine before its last start', {}, { boot: 'before' }, 'dead'],
    [
      'a container of the same name before, perhaps on another machine',
      { space: 'pid:[4026532001]' },
      { boot: 'b' },
      'unknown',
    ],
    ['a machine of the same name, where machines have no ids', { machine: '' }, { boot: 'b' }, 'unknown'],
    ['a machine of the same name, with another id', {}, { machine: 'f'.repeat(32), pid: gone }, 'unknown'],
    ['another machine', {}, { host: 'elsewhere', pid: gone }, 'unknown'],
    ['another container', {}, { space: 'pid:[1]', pid: gone }, 'unknown'],
    ['a number that no process has', {}, { pid: gone }, 'dead'],
    ['a number that a process has, where starts are not told', {}, { startedAt: '' }, 'unknown'],
  ])('%s', async (_, own, other, expected) => {
    const here = { ...machine, ...own };
    expect(await livenessOf({ ...here, ...other }, here)).toBe(expected);
  });

  test('this process', async () => {
    const own = await ownIdentity();
    expect(await livenessOf(own, own)).toBe(own.startedAt === '' ? 'unknown' : 'alive');
  });
});
