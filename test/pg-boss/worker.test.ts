import { describe, expect, test } from 'vitest';
import { postgresServer, queueOf } from './support.js';

describe.skipIf(!postgresServer)('createWorker', () => {
  test('a job of the queue becomes a job of the endpoint, and its output the result', async () => {
    const { add, start, runs, job } = await queueOf();
    await start();
    const id = await add('a', 100);
    await expect.poll(() => job(id)).toMatchObject({ state: 'completed', output: { echo: { id: 'a', ms: 100 } } });
    expect(runs()).toBe(1);
  });
});
