import runpodSdk from 'runpod-sdk';
import { NEVER } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startEmulator, type EmulatorOptions, type ListeningEmulator } from 'runpod-rx/emulator';
import { patient } from '../support/patient.js';

const KEY = 'test-key-placeholder';
const endpoints: EmulatorOptions['endpoints'] = {
  echo: { handler: ({ input }) => ({ echo: input }) },
  failing: {
    handler: () => {
      throw new Error('the handler failed');
    },
  },
  chunks: {
    aggregate: true,
    *handler({ input }) {
      for (const part of input.parts as unknown[]) yield part;
    },
  },
  waiting: { handler: () => NEVER, workers: 1 },
  slow: {
    handler: async ({ input }, { sleep }) => {
      while (!emulator.requests().some(({ operation }) => operation === 'status-sync')) await sleep(5);
      return { slow: input };
    },
  },
};

let emulator: ListeningEmulator;
/** The words that the official client writes to the console. */
const consoleOutput: unknown[][] = [];

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation((...words) => void consoleOutput.push(words));
  emulator = await startEmulator({ endpoints, keys: [KEY] });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await emulator.close();
});

/** An endpoint of the official client, whose only option is the base URL. Its calls may take long. */
const endpoint = (id: string, key = KEY) => {
  const found = runpodSdk(key, { baseUrl: emulator.baseUrl }).endpoint(id);
  if (!found) throw new Error('the official client gave no endpoint');
  return patient(found);
};

describe('the official runpod-sdk against the emulator', () => {
  it('run submits a job, and status shows it COMPLETED', async () => {
    const { id, status } = await endpoint('echo').run({ input: { text: 'héllo' } });
    expect(status).toBe('IN_QUEUE');
    expect(id).toMatch(/^[0-9a-f-]{36}/);
    await expect.poll(async () => (await endpoint('echo').status(id)).status).toBe('COMPLETED');
    expect(await endpoint('echo').status(id)).toMatchObject({
      id,
      output: { echo: { text: 'héllo' } },
      started: true,
      completed: true,
      succeeded: true,
      delayTime: expect.any(Number),
      executionTime: expect.any(Number),
    });
  });

  it('runSync gives the completed job', async () => {
    expect(await endpoint('echo').runSync({ input: { x: 1 } })).toMatchObject({
      id: expect.stringMatching(/^sync-/),
      status: 'COMPLETED',
      output: { echo: { x: 1 } },
      completed: true,
      succeeded: true,
    });
    expect(emulator.requests()).toMatchObject([{ operation: 'runsync', path: '/v2/echo/runsync?wait=90000' }]);
  });

  it('runSync continues with status-sync if the job takes longer than wait', async () => {
    // The job goes on when it is asked for, so the first answer comes before the job ends.
    expect(await endpoint('slow').runSync({ input: { x: 1 } }, 1000)).toMatchObject({ output: { slow: { x: 1 } } });
    expect(emulator.requests().map(({ operation }) => operation)).toEqual(['runsync', 'status-sync']);
  });

  it('runSync gives the failed job', async () => {
    const answer = await endpoint('failing').runSync({ input: { x: 1 } });
    expect(answer).toMatchObject({ status: 'FAILED', completed: true, succeeded: false });
    expect(JSON.stringify(answer)).toContain('the handler failed');
  });

  it('stream gives every chunk once and in order, also falsy chunks', async () => {
    const parts = ['a', { b: 1 }, 0, '', null, [1, 2]];
    const { id } = await endpoint('chunks').run({ input: { parts } });
    const chunks: unknown[] = [];
    for await (const chunk of endpoint('chunks').stream(id)) chunks.push(chunk);
    expect(chunks).toEqual(parts.map((output) => expect.objectContaining({ output })));
    const { output } = (await endpoint('chunks').status(id)) as { output?: unknown };
    expect(output).toEqual(parts);
  });

  it('cancel ends a running job and a queued job', async () => {
    const running = await endpoint('waiting').run({ input: { x: 1 } });
    const queued = await endpoint('waiting').run({ input: { x: 2 } });
    await expect.poll(async () => (await endpoint('waiting').status(running.id)).status).toBe('IN_PROGRESS');
    for (const { id } of [running, queued]) {
      expect(await endpoint('waiting').cancel(id)).toMatchObject({ id, status: 'CANCELLED' });
      expect(await endpoint('waiting').status(id)).toMatchObject({
        status: 'CANCELLED',
        completed: true,
        succeeded: false,
      });
    }
    expect(emulator.jobs()).toMatchObject([{ end: 'cancelled' }, { end: 'cancelled' }]);
  });

  it('health counts the jobs and the workers', async () => {
    await endpoint('echo').runSync({ input: { x: 1 } });
    expect(await endpoint('echo').health()).toMatchObject({
      jobs: { completed: 1, failed: 0, inProgress: 0, inQueue: 0, retried: 0 },
      workers: { idle: 1, initializing: 0, ready: expect.any(Number), running: 0, throttled: 0 },
    });
  });

  it('purgeQueue removes the queued jobs and keeps the running job', async () => {
    const running = await endpoint('waiting').run({ input: { x: 1 } });
    await expect.poll(async () => (await endpoint('waiting').status(running.id)).status).toBe('IN_PROGRESS');
    for (const x of [2, 3]) await endpoint('waiting').run({ input: { x } });
    expect(await endpoint('waiting').purgeQueue()).toEqual({ removed: 2, status: 'completed' });
    expect(await endpoint('waiting').status(running.id)).toMatchObject({ status: 'IN_PROGRESS' });
  });

  it('run accepts policy and s3Config', async () => {
    const request = {
      input: { x: 1 },
      policy: { executionTimeout: 60_000, ttl: 120_000, lowPriority: true },
      s3Config: { accessId: 'a', accessSecret: 'b', bucketName: 'c', endpointUrl: 'https://s3.example' },
    };
    expect(await endpoint('echo').run(request)).toMatchObject({ status: 'IN_QUEUE' });
  });

  it('a wrong key, an unknown endpoint and an unknown job are rejected', async () => {
    await expect(endpoint('echo', 'another-placeholder').health()).rejects.toThrow(/401/);
    await expect(endpoint('nowhere').health()).rejects.toThrow(/404/);
    await expect(endpoint('echo').status('no-such-job')).rejects.toThrow(/404/);
    expect(emulator.jobs()).toEqual([]);
  });
});
