/**
 * What docs/comparison.md says: each row is a test here, in which both clients meet the same server
 * with the same fault. A row whose test changes must change with it.
 */
import { gzipSync } from 'node:zlib';
import { inspect } from 'node:util';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { delayWhen, firstValueFrom, lastValueFrom, NEVER, ReplaySubject, take } from 'rxjs';
import sdk from 'runpod-sdk';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startEmulator, type EmulatedEndpoint, type EmulatorOptions } from 'runpod-rx/emulator';
import { isRunpodError, runpod, type ClientOptions } from '../../src/index.js';
import { patient } from '../support/patient.js';
import { Clock } from '../support/wire.js';

const KEY = 'a-key-that-must-not-show';
const request = { input: { prompt: 'hello' } };

type Handler = EmulatedEndpoint['handler'];

interface Service extends Partial<EmulatorOptions & EmulatedEndpoint> {
  /** Makes the handler of a server that tells what it has seen, as `seen` below does. */
  readonly handlerOf?: (seen: () => string[]) => Handler;
}

/** Both clients, each with a server of its own. */
async function both(options: Service = {}, clientOptions: Pick<ClientOptions, 'limits' | 'scheduler'> = {}) {
  const { handler = ({ input }) => ({ echo: input }), handlerOf = () => handler, aggregate, ...rest } = options;
  const start = async () => {
    const demo = { handler: handlerOf(() => seen()), ...(aggregate !== undefined && { aggregate }) };
    const emulator = await startEmulator({ keys: [KEY], ...rest, endpoints: { demo } });
    onTestFinished(() => emulator.close());
    /** The operations that the server saw, with the status it answered or what became of the request. */
    const seen = () =>
      emulator.requests().map(({ operation, status, failure, aborted }) => {
        return `${operation} ${status ?? failure ?? (aborted ? 'aborted' : 'open')}`;
      });
    return {
      emulator,
      seen,
      jobs: () => emulator.jobs().map(({ status }) => status),
    };
  };
  const [theirs, mine] = await Promise.all([start(), start()]);
  const client = runpod({ baseUrl: mine.emulator.baseUrl, apiKey: KEY, ...clientOptions });
  onTestFinished(async () => {
    await firstValueFrom(client.close());
  });
  return {
    official: { ...theirs, endpoint: patient(sdk(KEY, { baseUrl: theirs.emulator.baseUrl }).endpoint('demo')!) },
    ours: { ...mine, client, endpoint: client.endpoint('demo') },
  };
}

type Both = Awaited<ReturnType<typeof both>>;

async function thrown(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return promise.then(
    () => Promise.reject(new Error('it should have failed')),
    (error: unknown) => error as Error & Record<string, unknown>,
  );
}

async function officialStream({ endpoint }: Both['official'], id: string) {
  const chunks: unknown[] = [];
  try {
    for await (const { output } of endpoint.stream(id) as AsyncIterable<{ output: unknown }>) chunks.push(output);
    return { chunks };
  } catch (error) {
    return { chunks, error };
  }
}

function ourStream({ endpoint }: Both['ours'], id: string) {
  const chunks: unknown[] = [];
  return new Promise<{ chunks: unknown[]; error?: unknown }>((resolve) => {
    endpoint.stream(id).subscribe({
      next: (chunk) => chunks.push(chunk),
      error: (error: unknown) => resolve({ chunks, error }),
      complete: () => resolve({ chunks }),
    });
  });
}

const submit = async ({ official, ours }: Both) =>
  [(await official.endpoint.run(request)).id, (await firstValueFrom(ours.endpoint.run(request))).id] as const;

describe('failures of HTTP', () => {
  test('an HTML 502 on /status: theirs throws, ours asks again', async () => {
    const world = await both({ faults: [{ fault: 'html-502', on: 'status', nth: 1 }] });
    const { official, ours } = world;
    const [theirId, ourId] = await submit(world);
    expect((await thrown(official.endpoint.status(theirId))).message).toBe('Request failed with status code 502');
    expect(await firstValueFrom(ours.endpoint.status(ourId))).toMatchObject({ id: ourId });
    expect(official.seen()).toEqual(['run 200', 'status 502']);
    expect(ours.seen()).toEqual(['run 200', 'status 502', 'status 200']);
  });

  test('a 429 on /run: theirs throws, ours waits and submits', async () => {
    const { official, ours } = await both({ faults: [{ fault: 'empty-429', on: 'run', nth: 1 }] });
    expect((await thrown(official.endpoint.run(request))).message).toBe('Request failed with status code 429');
    await firstValueFrom(ours.endpoint.run(request));
    expect([official.jobs().length, ours.jobs().length]).toEqual([0, 1]);
  });

  test('a lost answer to /run: theirs says "fetch failed", ours that a job may run; neither submits twice', async () => {
    const { official, ours } = await both({ faults: [{ fault: 'reset-after', on: 'run' }] });
    expect(await thrown(official.endpoint.run(request))).toMatchObject({ name: 'TypeError', message: 'fetch failed' });
    expect(await thrown(firstValueFrom(ours.endpoint.run(request)))).toMatchObject({
      code: 'submission_unknown',
      accepted: 'unknown',
    });
    expect([official.jobs().length, ours.jobs().length]).toEqual([1, 1]);
  });

  test('a 200 with nothing but an error: theirs returns it as a job, ours errors', async () => {
    const { official, ours } = await both({ faults: [{ fault: 'bare-error', on: 'run', message: 'no capacity' }] });
    expect(await official.endpoint.run(request)).toEqual({ error: 'no capacity' });
    expect(await thrown(firstValueFrom(ours.endpoint.run(request)))).toMatchObject({ code: 'submission_unknown' });
  });

  test('a redirect of /run: theirs follows it to another host, ours does not', async () => {
    const other = await startEmulator({ endpoints: { demo: { handler: () => 'elsewhere' } } });
    onTestFinished(() => other.close());
    const location = `${other.baseUrl.replace('127.0.0.1', 'localhost')}/demo/run`;
    const { official, ours } = await both({
      faults: [{ fault: 'answer', on: 'run', status: 307, headers: { location } }],
    });
    expect(await official.endpoint.run(request)).toMatchObject({ status: 'IN_QUEUE' });
    expect(other.jobs()).toHaveLength(1);
    expect(await thrown(firstValueFrom(ours.endpoint.run(request)))).toMatchObject({ code: 'http', accepted: 'no' });
    expect(other.jobs()).toHaveLength(1);
  });

  test('the key in the error of a 502: in theirs when it is printed, not in ours', async () => {
    const { official, ours } = await both({ faults: [{ fault: 'html-502', on: 'health' }] });
    const printed = [
      await thrown(official.endpoint.health()),
      await thrown(firstValueFrom(ours.endpoint.health())),
    ].map((error) => inspect(error).includes(KEY));
    expect(printed).toEqual([true, false]);
  });
});

describe('time', () => {
  test('an answer to /run after 3.5 s: theirs has given up at 3 s, with the job running; ours has it', async () => {
    const answer$ = new ReplaySubject<void>(1);
    const clock = new Clock();
    const { official, ours } = await both(
      { intercept: (asked, next) => next(asked).pipe(delayWhen(() => answer$)) },
      { scheduler: clock },
    );
    // The time of theirs; ours has the clock. The servers have timers of another kind.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const calls = [
      thrown(official.endpoint.impatient.run(request)),
      firstValueFrom(ours.endpoint.run(request)),
    ] as const;
    for (const { jobs } of [official, ours]) await expect.poll(() => jobs().length).toBe(1);
    vi.advanceTimersByTime(3_500);
    clock.advance(3_500);
    const theirs = await calls[0];
    answer$.next();
    const mine = await calls[1];
    expect(theirs.message).toBe('timeout of 3000ms exceeded');
    expect(official.jobs()).toHaveLength(1);
    expect(mine.id).toBe(ours.emulator.jobs()[0]?.id);
  });

  test('runSync over its time: theirs returns the unfinished job, which runs on; ours errors and cancels', async () => {
    const clock = new Clock();
    const { official, ours } = await both({ handler: () => NEVER }, { scheduler: clock });
    const waiting = Promise.all([
      official.endpoint.runSync(request, 1500),
      thrown(firstValueFrom(ours.endpoint.runSync(request, { wait: 1000, timeout: 1500 }))),
    ]);
    await expect.poll(() => ours.seen()).toContain('runsync 200');
    clock.advance(1500);
    const [theirs, mine] = await waiting;
    await firstValueFrom(ours.client.settled());
    expect(theirs).toMatchObject({ status: 'IN_PROGRESS', completed: false });
    expect(mine).toMatchObject({ code: 'request_timeout' });
    expect([official.jobs(), ours.jobs()]).toEqual([['IN_PROGRESS'], ['CANCELLED']]);
  });

  test('waiting for a job: theirs needs one held request and knows at once, ours asks again and again', async () => {
    const done = new ReplaySubject<string>(1);
    const world = await both({ handler: () => done.pipe(take(1)) });
    const { official, ours } = world;
    const [theirId, ourId] = await submit(world);
    const waiting = Promise.all([official.endpoint.statusSync(theirId), lastValueFrom(ours.endpoint.watch(ourId))]);
    await expect.poll(() => official.seen()).toContain('status-sync open');
    await expect.poll(() => ours.seen().filter((line) => line === 'status 200').length).toBe(2);
    done.next('done');
    const [theirs, mine] = await waiting;
    expect([theirs.status, mine.status]).toEqual(['COMPLETED', 'COMPLETED']);
    expect(official.seen()).toEqual(['run 200', 'status-sync 200']);
    expect(ours.seen().filter((line) => line === 'status 200').length).toBeGreaterThan(2);
  });

  test('50 submissions where 20 a second are allowed: 30 of theirs are refused, none of ours', async () => {
    const limits = { run: { requests: 20, per: 1000 } };
    const { ours } = await both({ limits }, { limits });
    // Theirs meets a window that does not end during the test, however slow the machine is.
    const { official } = await both({ limits: { run: { requests: 20, per: 3_600_000 } } });
    const theirs = await Promise.allSettled(Array.from({ length: 50 }, () => official.endpoint.run(request)));
    expect(theirs.filter(({ status }) => status === 'rejected')).toHaveLength(30);
    await Promise.all(Array.from({ length: 50 }, () => firstValueFrom(ours.endpoint.run(request))));
    expect(ours.seen().filter((line) => line !== 'run 200')).toEqual([]);
  });
});

describe('streams', () => {
  const two = function* () {
    yield 'a';
    yield 'b';
  };

  test('chunks that come with the terminal status: both give them', async () => {
    const world = await both({ handler: two });
    const [theirId, ourId] = await submit(world);
    expect(await officialStream(world.official, theirId)).toEqual({ chunks: ['a', 'b'] });
    expect(await ourStream(world.ours, ourId)).toEqual({ chunks: ['a', 'b'] });
  });

  test('chunks left after an answer with the terminal status: theirs misses them, ours reads on', async () => {
    const answer = (nth: number, chunk: string) =>
      ({
        fault: 'answer',
        on: 'stream',
        nth,
        status: 200,
        body: { status: 'COMPLETED', stream: [{ output: chunk }] },
      }) as const;
    const world = await both({ faults: [answer(1, 'a'), answer(2, 'b')] });
    const [theirId, ourId] = await submit(world);
    expect(await officialStream(world.official, theirId)).toEqual({ chunks: ['a'] });
    expect(await ourStream(world.ours, ourId)).toEqual({ chunks: ['a', 'b'] });
  });

  test('an answer without the field `stream`: theirs throws a TypeError, ours takes it as empty', async () => {
    const body = { status: 'IN_PROGRESS' };
    const world = await both({ handler: two, faults: [{ fault: 'answer', on: 'stream', nth: 1, status: 200, body }] });
    const [theirId, ourId] = await submit(world);
    expect(await officialStream(world.official, theirId)).toEqual({ chunks: [], error: expect.any(TypeError) });
    expect(await ourStream(world.ours, ourId)).toEqual({ chunks: ['a', 'b'] });
  });

  test('a lost answer with chunks of an aggregating worker: theirs throws, ours takes them from the output', async () => {
    const world = await both({
      aggregate: true,
      faults: [{ fault: 'dropped-stream', nth: 2 }],
      // Each chunk after the first comes when its read waits for it.
      handlerOf: (seen) =>
        async function* (_, { sleep }) {
          const reads = () => seen().filter((line) => line.startsWith('stream ')).length;
          for (const [nth, chunk] of ['a', 'b', 'c'].entries()) {
            while (nth > 0 && reads() <= nth) await sleep(5);
            yield chunk;
          }
        },
    });
    const [theirId, ourId] = await submit(world);
    expect(await officialStream(world.official, theirId)).toEqual({ chunks: ['a'], error: expect.any(TypeError) });
    expect(await ourStream(world.ours, ourId)).toEqual({ chunks: ['a', 'b', 'c'] });
  });

  test('a job cancelled while it streams: theirs just ends, ours errors after the chunks', async () => {
    const world = await both({
      handler: async function* (_, { sleep }) {
        yield 'a';
        await sleep(60_000);
      },
    });
    const { official, ours } = world;
    const [theirId, ourId] = await submit(world);
    const reading = Promise.all([officialStream(official, theirId), ourStream(ours, ourId)]);
    for (const { seen } of [official, ours]) await expect.poll(seen).toContain('stream 200');
    await Promise.all([official.endpoint.cancel(theirId), firstValueFrom(ours.endpoint.cancel(ourId))]);
    const [theirs, mine] = await reading;
    expect(theirs).toEqual({ chunks: ['a'] });
    expect(mine.chunks).toEqual(['a']);
    expect(isRunpodError(mine.error, 'job_cancelled')).toBe(true);
  });

  test('a job that fails while it streams: theirs just ends, ours errors with the cause after the chunks', async () => {
    const world = await both({
      handler: function* () {
        yield 'a';
        throw new RangeError('out of memory');
      },
    });
    const [theirId, ourId] = await submit(world);
    expect(await officialStream(world.official, theirId)).toEqual({ chunks: ['a'] });
    const { chunks, error } = await ourStream(world.ours, ourId);
    expect(chunks).toEqual(['a']);
    expect(isRunpodError(error, 'job_failed') && error.snapshot.error.message).toBe('out of memory');
  });

  test('a reader that leaves while a read is held: theirs stays until the answer, ours is aborted', async () => {
    const more = new ReplaySubject<void>(1);
    const world = await both({
      handler: async function* () {
        yield 'a';
        await firstValueFrom(more);
        yield 'b';
      },
    });
    const { official, ours } = world;
    const [theirId, ourId] = await submit(world);
    const reading = ours.endpoint.stream(ourId).subscribe();
    const generator = official.endpoint.stream(theirId);
    await generator.next();
    const second = generator.next();
    for (const { seen } of [official, ours]) await expect.poll(() => seen().at(-1)).toBe('stream open');
    const left = generator.return(undefined);
    reading.unsubscribe();
    await expect.poll(() => ours.seen().at(-1)).toBe('stream aborted');
    expect(official.seen().at(-1)).toBe('stream open');
    more.next();
    await Promise.all([second, left]);
    expect(official.seen().at(-1)).toBe('stream 200');
  });
});

describe('jobs and input', () => {
  test('the error of a handler that raised: theirs is a string that holds JSON, ours is read', async () => {
    const world = await both({
      handler: () => {
        throw new RangeError('out of memory');
      },
    });
    const [theirId, ourId] = await submit(world);
    const mine = await lastValueFrom(world.ours.endpoint.watch(ourId));
    const theirs = (await world.official.endpoint.statusSync(theirId)) as unknown as { error: string };
    expect(JSON.parse(theirs.error)).toMatchObject({ error_message: 'out of memory' });
    expect(mine).toMatchObject({ status: 'FAILED', error: { type: 'RangeError', message: 'out of memory' } });
  });

  test('an empty input: theirs is submitted, ours is refused before', async () => {
    const { official, ours } = await both();
    await official.endpoint.run({ input: {} });
    expect(await thrown(firstValueFrom(ours.endpoint.run({ input: {} })))).toMatchObject({ code: 'validation' });
    expect([official.seen(), ours.seen()]).toEqual([['run 200'], []]);
  });

  test('running a failed job again: theirs has no call for it', async () => {
    const { official, ours } = await both();
    expect([typeof Object(official.endpoint).retry, typeof ours.endpoint.retry]).toEqual(['undefined', 'function']);
  });

  test('a missing key: theirs prints a line and forgets the base URL, ours errors at the call', async () => {
    const client = sdk(undefined as unknown as string, { baseUrl: 'http://127.0.0.1:9/v2' });
    expect(client.baseUrl).toBe('https://api.runpod.ai/v2');
    vi.stubEnv('RUNPOD_API_KEY', '');
    vi.stubEnv('RUNPOD_BASE_URL', '');
    onTestFinished(() => void vi.unstubAllEnvs());
    const ours = runpod().endpoint('demo').health();
    expect(await thrown(firstValueFrom(ours))).toMatchObject({ code: 'configuration' });
  });
});

describe('weight', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const bundle = (platform: 'node' | 'browser') =>
    build({
      stdin: { contents: `import sdk from 'runpod-sdk'; globalThis.x = sdk`, resolveDir: root },
      bundle: true,
      write: false,
      minify: true,
      format: 'esm',
      target: 'es2022',
      logLevel: 'silent',
      platform,
    });

  test('theirs does not bundle for a browser, and is smaller than ours with axios', async () => {
    const failed = await thrown(bundle('browser'));
    expect(failed.message).toContain('Could not resolve "module"');
    const { outputFiles } = await bundle('node');
    const kilobytes = gzipSync(outputFiles[0]!.contents, { level: 9 }).length / 1024;
    expect(kilobytes).toBeGreaterThan(4);
    expect(kilobytes).toBeLessThan(4.6);
  });
});
