/** The programs of docs/many-machines.md, each with the server that its queue needs. */
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { postgresServer as postgres, redisServer as redis } from '../support/engines.js';
import { cleanUp, run, snippetsIn } from './snippets.js';

const snippets = snippetsIn('docs/many-machines.md');

afterAll(cleanUp);

const programOf = (word: string) => snippets.find(({ code }) => code.includes(word))!;

describe('docs/many-machines.md', () => {
  test.skipIf(!redis)('the program for BullMQ does its job, and ends when it is told to', async () => {
    const url = redis!.url;
    onTestFinished(() => emptyQueue(url));
    await emptyQueue(url);
    const output = await run(programOf('new Worker('), 60_000, { more: { REDIS_URL: url }, until: /LIGHTHOUSE/ });
    expect(output).toBe('1 A LIGHTHOUSE\n');
  });

  test.skipIf(!postgres)('the program for pg-boss does its job, and ends when it is told to', async () => {
    const pool = new Pool({ connectionString: postgres!.url });
    onTestFinished(() => pool.end());
    const database = `runpod_rx_docs_${process.pid}`;
    await pool.query(`create database ${database}`);
    onTestFinished(() => pool.query(`drop database ${database} with (force)`).then(() => undefined));
    const url = new URL(postgres!.url);
    url.pathname = database;
    const output = await run(programOf('createWorker('), 60_000, {
      more: { DATABASE_URL: url.href },
      until: /LIGHTHOUSE/,
    });
    expect(output).toMatch(/^completed [-0-9a-f]{36} A LIGHTHOUSE\n$/);
  });
});

async function emptyQueue(url: string): Promise<void> {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  const queue = new Queue('pictures', { connection });
  await queue.obliterate({ force: true });
  await queue.close();
  connection.disconnect();
}
