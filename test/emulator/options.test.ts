import { VirtualTimeScheduler, interval, take } from 'rxjs';
import type { SchedulerAction, SchedulerLike } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { startEmulator } from 'runpod-rx/emulator';
import { createEmulator } from 'runpod-rx/testing';
import type { EmulatedEndpoint, EmulatorOptions, FaultRule } from 'runpod-rx/testing';
import { withLongDelays } from '../../src/emulator/model/longDelays.js';
import { world } from './world.js';

const DAY = 86_400_000;

describe('endpoints', () => {
  test('a function is an endpoint with this handler', () => {
    const w = world({ endpoints: { demo: ({ input }) => ({ got: input.x }) } });
    const id = w.submit({ x: 7 });
    w.until(10);
    expect(w.ask('GET', `demo/status/${id}`)).toMatchObject({ output: { got: 7 }, status: 'COMPLETED' });
  });

  test('an object of a class may have members of its own', () => {
    class Counting {
      calls = 0;
      handler() {
        this.calls += 1;
        return this.calls;
      }
    }
    const w = world({ endpoints: { demo: new Counting() } });
    const id = w.submit();
    w.until(10);
    expect(w.ask('GET', `demo/status/${id}`)).toMatchObject({ output: 1 });
  });

  test.each<[unknown, string]>([
    [undefined, 'endpoints is undefined, but must be an object'],
    [null, 'endpoints is null, but must be an object'],
    [[], 'endpoints is an array, but must be an object'],
    [{ demo: { handler: 5 } }, 'endpoints.demo.handler is 5, but must be a function'],
    [{ demo: { hadler: () => 1 } }, 'endpoints.demo.hadler is a function, but is unknown: did you mean handler?'],
    [
      { demo: { handler: () => 1, coldstart: 5 } },
      'endpoints.demo.coldstart is a number, but is unknown: did you mean coldStart?',
    ],
    [{ demo: 7 }, 'endpoints.demo is 7, but must be a handler, or an object with one as `handler`'],
    [{ demo: null }, 'endpoints.demo is null, but must be a handler, or an object with one as `handler`'],
    [{ demo: {}, other: { stream: 'yes' } }, 'endpoints.other.stream is yes, but must be true or false'],
  ])('%j are refused at once', (endpoints, message) => {
    const options = { endpoints } as EmulatorOptions;
    expect(() => createEmulator(options)).toThrow(new TypeError(message));
  });

  test('are refused by startEmulator with a rejection', async () => {
    const options = { endpoints: { demo: { hadler: 1 } } } as unknown as EmulatorOptions;
    await expect(startEmulator(options)).rejects.toThrow(/did you mean handler/);
  });
});

describe('options', () => {
  const endpoints = { demo: () => 1 };
  const refused = (options: object) => {
    try {
      createEmulator({ endpoints, ...options });
      return 'taken';
    } catch (error) {
      return error instanceof TypeError ? error.message : error;
    }
  };

  test.each<[object, RegExp]>([
    [{ sead: 1 }, /sead is a number, but is unknown: did you mean seed\?/],
    [{ port: 1 }, /port is a number, but is unknown/],
    [{ limits: 'none' }, /limits is none, but must be 'documented'/],
    [{ limits: { status: { requests: NaN } } }, /limits\.status\.requests is NaN, but must be a whole number/],
    [{ limits: { status: { concurent: 1 } } }, /did you mean concurrent\?/],
    [{ rateWindow: 'slide' }, /must be 'sliding' or 'fixed'/],
    [{ variants: { purged: 'canceled' } }, /did you mean 'cancelled'\?/],
    [{ latency: -1 }, /latency is -1/],
    [{ latency: Infinity }, /latency is Infinity/],
    [{ latency: '80ms' }, /latency is 80ms/],
    [{ history: -1 }, /history is -1/],
    [{ seed: NaN }, /seed is NaN/],
    [{ keys: 'secret' }, /keys is secret, but must be a list/],
    [{ webhooks: { pauses: [1, NaN] } }, /webhooks\.pauses/],
    [{ webhooks: { timout: 1 } }, /did you mean timeout\?/],
    [{ faults: 5 }, /faults is 5/],
    [{ scheduler: {} }, /scheduler/],
  ])('%j is refused', (options, message) => {
    expect(refused(options)).toMatch(message);
  });

  test('the server refuses what it cannot do', async () => {
    for (const [options, message] of [
      [{ port: 1.5 }, /port is 1\.5/],
      [{ host: 1 }, /host is 1/],
      [{ hosts: 'a' }, /hosts is a/],
      [{ cors: [1] }, /cors is an array/],
      [{ cors: 'http://localhost:5173/' }, /cors is http.*an origin such as/],
      [{ cors: 'localhost:5173' }, /cors is localhost/],
      [{ cors: 'https://A.example' }, /cors is https/],
      [{ cors: 'http://a.example:80' }, /cors is http/],
      [{ cors: ['http://a.example', '*'] }, /cors is an array/],
      [{ allowHost: [] }, /allowHost/],
    ] as const) {
      await expect(startEmulator({ endpoints, ...options } as EmulatorOptions)).rejects.toThrow(message);
    }
  });

  const numbers: readonly (keyof EmulatedEndpoint)[] = ['coldStart', 'executionTimeout', 'killLag', 'lostAfter'];
  test.each(numbers)('the duration %s is a number, or Infinity for never', (name) => {
    const given = (value: unknown) => refused({ endpoints: { demo: { handler: () => 1, [name]: value } } });
    for (const value of [0, 1, 1.5, 30 * DAY, Infinity]) expect(given(value)).toBe('taken');
    for (const value of [NaN, -1, -Infinity, '5s', null, {}])
      expect(given(value)).toMatch(`endpoints.demo.${name} is `);
  });

  test.each(['max', 'min', 'concurrency', 'idleTimeout'])('the workers have a %s that is a number', (name) => {
    const given = (value: unknown) =>
      refused({ endpoints: { demo: { handler: () => 1, workers: { [name]: value } } } });
    expect(given(2)).toBe('taken');
    for (const value of [NaN, -1, '2', null]) expect(given(value)).toMatch(`endpoints.demo.workers.${name} is `);
    if (name !== 'idleTimeout') expect(given(1.5)).toMatch(/whole number/);
  });

  test.each([NaN, -1, 2.5, '2', true])('%s is no number of workers', (workers) => {
    expect(refused({ endpoints: { demo: { handler: () => 1, workers } } })).toMatch(/endpoints\.demo\.workers is /);
  });
});

describe('durations', () => {
  test.each<[string, EmulatedEndpoint]>([
    ['delay(Infinity)', { handler: (_, { delay }) => delay(Infinity), executionTimeout: Infinity }],
    ['coldStart: Infinity', { handler: () => 'ran', coldStart: Infinity }],
  ])('%s never ends', (_, demo) => {
    const w = world({ endpoints: { demo } });
    const id = w.submit({ x: 1 }, { policy: { ttl: 7 * DAY } });
    w.until(7 * DAY - 1);
    expect(w.ask('GET', `demo/status/${id}`).status).toMatch(/^IN_/);
  });

  test('a scheduler with long delays keeps each delay to the millisecond, and can be left', () => {
    const clock = new VirtualTimeScheduler();
    const timers: number[] = [];
    // As a timer of JavaScript: longer delays fire at once.
    const limited: SchedulerLike = {
      now: () => clock.now(),
      schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T) {
        timers.push(delay);
        return clock.schedule(work, delay > 2 ** 31 - 1 ? 1 : delay, state);
      },
    };
    const scheduler = withLongDelays(limited);
    const seen: [string | undefined, number][] = [];
    const note = (name?: string) => void seen.push([name, clock.now()]);
    scheduler.schedule(note, 90 * DAY, 'long');
    scheduler.schedule(note, 5, 'short');
    scheduler.schedule(note, Infinity, 'never');
    const left = scheduler.schedule(note, 60 * DAY, 'left');
    clock.schedule(() => left.unsubscribe(), 59 * DAY);
    clock.flush();
    expect(seen).toEqual([
      ['short', 5],
      ['long', 90 * DAY],
    ]);
    expect(Math.max(...timers)).toBeLessThan(2 ** 31);
  });

  test('a timer of JavaScript does not cut a delay short', async () => {
    const emulator = createEmulator({
      endpoints: {
        delayed: (_, { delay }) => delay(30 * DAY),
        asleep: async (_, { sleep }) => sleep(Infinity),
        cold: { handler: () => 'ran', coldStart: 30 * DAY },
        quick: (_, { delay }) => delay(5),
      },
    });
    const client = createRunpod({ transport: emulator.transport, baseUrl: 'http://localhost' });
    for (const id of ['delayed', 'asleep', 'cold'])
      client
        .endpoint(id)
        .run({ input: { x: 1 } })
        .subscribe();
    await new Promise((resolve) =>
      client
        .endpoint('quick')
        .runSync({ input: { x: 1 } })
        .subscribe({ complete: () => resolve(0) }),
    );
    expect(emulator.jobs().map(({ endpointId, status }) => [endpointId, status])).toEqual([
      ['delayed', 'IN_PROGRESS'],
      ['asleep', 'IN_PROGRESS'],
      ['cold', 'IN_QUEUE'],
      ['quick', 'COMPLETED'],
    ]);
    emulator.close();
  });

  test.each([NaN, -1, '5s', undefined])('a handler that delays for %s fails its job with the reason', (ms) => {
    const w = world({ endpoints: { demo: (_, { delay }) => delay(ms as number) } });
    const id = w.submit();
    w.until(10);
    expect(w.ask('GET', `demo/status/${id}`)).toMatchObject({
      status: 'FAILED',
      error: expect.stringContaining('delay is '),
    });
  });

  test('a latency that a function gives is checked', () => {
    const w = world({ endpoints: { demo: () => 1 }, latency: () => NaN });
    expect(w.send('GET', 'demo/health').error).toMatchObject({ message: expect.stringContaining('latency is NaN') });
  });
});

describe('promises in virtual time', () => {
  const play = <S extends SchedulerLike>(handler: EmulatedEndpoint['handler'], scheduler: S) => {
    const emulator = createEmulator({ scheduler, endpoints: { demo: { handler } } });
    const client = createRunpod({ transport: emulator.transport, baseUrl: 'http://localhost', scheduler });
    const seen: string[] = [];
    client
      .endpoint('demo')
      .job({ input: { x: 1 } })
      .output$.subscribe({ next: (value) => seen.push(String(value)), error: (error) => seen.push(String(error)) });
    return { seen, scheduler, emulator };
  };

  test.each<[string, EmulatedEndpoint['handler']]>([
    ['a promise', () => Promise.resolve(1)],
    ['a promise that rejects', () => Promise.reject(new Error('later'))],
    ['a sleep', (_, { sleep }) => sleep(5)],
    ['an async iterable', () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true }) }) })],
  ])('%s fails the job at once, with an error that says what to do', (_, handler) => {
    const { seen, scheduler, emulator } = play(handler, new VirtualTimeScheduler());
    scheduler.flush();
    expect(seen).toEqual([expect.stringContaining('a virtual scheduler does not wait for promises')]);
    expect(seen[0]).toContain('context.delay');
    expect(emulator.jobs()[0]?.executionMs).toBe(0);
  });

  test('a promise fails the job also where it could settle between two moves of the clock', async () => {
    const { scheduler, emulator } = play(() => Promise.resolve('done'), new VirtualTimeScheduler());
    for (let at = 0; at < 5; at += 1) {
      scheduler.maxFrames = at;
      scheduler.flush();
      await Promise.resolve();
    }
    expect(emulator.jobs()).toMatchObject([{ status: 'FAILED' }]);
  });

  test.each<[string, EmulatedEndpoint['handler']]>([
    ['an async function', async () => Promise.resolve(1)],
    [
      'an async generator',
      async function* () {
        yield await Promise.resolve(1);
      },
    ],
  ])('%s is an error when the emulator is made', (_, handler) => {
    expect(() => play(handler, new VirtualTimeScheduler())).toThrow(
      /endpoints\.demo has an async handler.*context\.delay.*real time/,
    );
    const scheduler = new VirtualTimeScheduler();
    expect(() => createEmulator({ scheduler, endpoints: { demo: handler! } })).toThrow(TypeError);
  });

  test('a promise fails the job on a virtual clock of another class, too', () => {
    const virtual = new VirtualTimeScheduler();
    const scheduler: SchedulerLike = {
      now: () => virtual.now(),
      schedule: (...given: Parameters<SchedulerLike['schedule']>) => virtual.schedule(...given),
    };
    const { seen } = play(() => Promise.resolve(1), scheduler);
    virtual.flush();
    expect(seen).toEqual([expect.stringContaining('a virtual scheduler does not wait for promises')]);
  });

  test('an async handler is fine in real time', () => {
    const endpoints = { demo: async () => Promise.resolve(1) };
    expect(() => createEmulator({ endpoints })).not.toThrow();
  });

  test('Observables and plain generators are not concerned', () => {
    const { seen, scheduler } = play(
      (_, { scheduler: clock }) => interval(5, clock).pipe(take(3)),
      new VirtualTimeScheduler(),
    );
    scheduler.flush();
    expect(seen).toEqual(['2']);
  });
});

describe('ids', () => {
  const endpoints = { demo: () => 1 };
  const idsOf = ({ seed }: Partial<EmulatorOptions> = {}) => {
    // The test's world has a seed of its own, unless it is told that there is none.
    const w = world({ endpoints, seed });
    const ids = Array.from({ length: 50 }, () => w.submit());
    return { ids, seed: w.emulator.seed };
  };

  test('differ from start to start', () => {
    const all = Array.from({ length: 40 }, () => idsOf().ids).flat();
    expect(new Set(all).size).toBe(all.length);
  });

  test('repeat with the seed that an emulator shows', () => {
    const { ids, seed } = idsOf();
    expect(idsOf({ seed })).toEqual({ ids, seed });
    expect(idsOf({ seed: 1 }).ids).toEqual(idsOf({ seed: '1' }).ids);
    expect(idsOf({ seed: 1 }).ids).not.toEqual(idsOf({ seed: 2 }).ids);
  });
});

describe('faults that cannot be carried out', () => {
  const endpoints = { demo: () => 1 };
  test.each<[object, string]>([
    [{ headers: { 'bad name': 'x' } }, '"bad name" is no name of a header'],
    [{ headers: { '': 'x' } }, '"" is no name of a header'],
    [{ headers: { x: 'a\r\nb' } }, 'x holds a character that a header cannot have'],
    [{ headers: { x: '→' } }, 'x holds a character that a header cannot have'],
    [{ headers: { 'Content-Length': '5' } }, 'the emulator sets Content-Length itself'],
    [{ headers: { 'transfer-encoding': 'chunked' } }, 'the emulator sets transfer-encoding itself'],
    [{ headers: { trailer: 'x' } }, 'the emulator sets trailer itself'],
    [{ status: 99 }, '200 to 599'],
    [{ status: 600 }, '200 to 599'],
    [{ status: 101 }, '200 to 599'],
    [{ status: 204, body: 'x' }, 'an answer with the status 204 has none'],
    [{ status: 304, body: {} }, 'an answer with the status 304 has none'],
    [{ body: 5n }, 'that JSON can hold'],
    [{ body: () => 1 }, 'that JSON can hold'],
    [{ retryAfter: 'a\nb' }, 'a header can have'],
    [{ after: 2 ** 31 }, 'milliseconds'],
    [{ when: 5 }, 'must be a function'],
    [{ nht: 1 }, 'there is no "nht"'],
  ])('are refused when they are set (%#)', (rule, message) => {
    const fault = { fault: 'answer', ...rule } as FaultRule;
    expect(() => createEmulator({ endpoints, faults: [fault] })).toThrow(message);
    const emulator = createEmulator({ endpoints });
    expect(() => emulator.inject(fault)).toThrow(message);
    expect(() => emulator.faults.add([{ fault: 'empty-502' }, fault])).toThrow(TypeError);
    expect(emulator.faults.list()).toEqual([]);
  });

  test('a body that refers to itself is refused', () => {
    const body: unknown[] = [];
    body.push(body);
    expect(() => createEmulator({ endpoints, faults: [{ fault: 'answer', body }] })).toThrow('that JSON can hold');
  });

  test('over HTTP they are a 400, and the faults before stay', async () => {
    const emulator = await startEmulator({ endpoints, faults: [{ fault: 'latency', after: 0 }] });
    const body = JSON.stringify([{ fault: 'answer', headers: { 'bad name': 'x' } }]);
    const answer = await fetch(`${emulator.url}/__emulator/faults`, { method: 'PUT', body });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'answer.headers: "bad name" is no name of a header' },
    ]);
    expect(emulator.faults.list()).toHaveLength(1);
    expect((await fetch(`${emulator.baseUrl}/demo/health`)).status).toBe(200);
    await emulator.close();
  });

  test('a condition that throws does not strike, in a request or in a timer', () => {
    const when = () => {
      throw new Error('in the condition');
    };
    const faults: FaultRule[] = (['answer', 'lost-worker', 'no-output', 'expired-result'] as const).map((fault) => ({
      fault,
      when,
    }));
    const w = world({ endpoints, faults });
    const id = w.submit();
    w.until(10);
    expect(w.ask('GET', `demo/status/${id}`)).toMatchObject({ output: 1, status: 'COMPLETED' });
  });
});

test('the latency passes over HTTP, too: half of it before the request has an effect', async () => {
  const scheduler = new VirtualTimeScheduler();
  const emulator = await startEmulator({ endpoints: { demo: () => 1 }, latency: 80, scheduler });
  const asked = fetch(`${emulator.baseUrl}/demo/run`, { method: 'POST', body: '{"input":{"x":1}}' });
  await expect.poll(() => emulator.requests().length).toBe(1);
  const moveTo = (ms: number) => {
    scheduler.maxFrames = ms;
    scheduler.flush();
  };
  moveTo(39);
  expect(emulator.jobs()).toEqual([]);
  moveTo(40);
  expect(emulator.jobs()).toHaveLength(1);
  expect(emulator.requests()[0]).not.toHaveProperty('status');
  moveTo(80);
  expect((await asked).status).toBe(200);
  await emulator.close();
});
