import { describe, expect, test } from 'vitest';
import { queueOf, redisServer } from './support.js';

describe.skipIf(!redisServer)('createProcessor', () => {
  test('a job of the queue becomes a job of the endpoint, and its output the result', async () => {
    const { add, start, runs, queue, redis } = queueOf();
    start();
    const job = await add('a', 100);
    await expect.poll(async () => (await queue.getJob(job.id!))?.returnvalue).toEqual({ echo: { id: 'a', ms: 100 } });
    expect(runs()).toBe(1);
    await expect.poll(async () => redis.hget(`${job.queueQualifiedName}:${job.id}`, 'runpod-rx')).toBeNull();
  });
});
