import { describe, expect, test } from 'vitest';
import { redisRow } from '../../src/bullmq/redisRow.js';
import { redisServer } from '../support/engines.js';
import { queueOf } from './support.js';

describe.skipIf(!redisServer)('S42 redisRow', () => {
  test('what leads to a submission needs the lock, also where the row says it already', async () => {
    const { add, redis } = queueOf();
    const job = await add('a');
    const lock = `${job.queueQualifiedName}:${job.id!}:lock`;
    const row = redisRow(redis, job, 'mine');
    await redis.set(lock, 'mine');
    const owned = { before: undefined, owned: true };
    expect(await row.write('text', owned)).toBe('written');
    // A write whose answer was lost is written again.
    expect(await row.write('text', owned)).toBe('written');
    await redis.set(lock, 'of another');
    expect(await row.write('text', owned)).toBe('lost');
    expect(await row.write('text', { before: undefined, owned: false })).toBe('written');
    expect(await row.write('other', { before: undefined, owned: false })).toBe('changed');
    await redis.del(lock);
    await job.remove();
    expect(await row.write('text', { before: undefined, owned: false })).toBe('lost');
  });
});
