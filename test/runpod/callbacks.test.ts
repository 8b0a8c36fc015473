import { EMPTY, Observable, VirtualTimeScheduler, config, of, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRunpod, runAll } from 'runpod-rx';
import type { ClientOptions, Endpoint, EndpointOptions, Handler, JobOptions, Link } from 'runpod-rx';
import { world, type World } from '../support/world.js';

/**
 * What a user's function may do instead of its work. Whatever it does, whom it concerns is told an error, nothing is
 * thrown at nobody, no job is lost or paid twice, and another call still works.
 */

const broken = new Error('broken');
const fail = (): never => {
  throw broken;
};
const any = (value: unknown) => value as never;
const request = { input: { ms: 1_000 } };

/** Ways of failing of a function that gives an Observable or a promise. */
const failures: [string, () => unknown][] = [
  ['throws', fail],
  [
    'throws undefined',
    () => {
      throw undefined;
    },
  ],
  ['errors', () => throwError(() => broken)],
  ['errors with undefined', () => throwError(() => undefined)],
  ['rejects', () => Promise.reject(broken)],
  ['emits nothing', () => EMPTY],
  ['returns undefined', () => undefined],
  ['returns null', () => null],
  ['returns a number', () => 5],
  ['returns an object', () => ({})],
  ['emits undefined', () => of(undefined)],
  ['emits an object', () => of({})],
];

/** What is no answer. */
const nonsense: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['{}', {}],
  ['a text', 'ok'],
  ['a status that is text', { status: 'x', text: '', headers: {} }],
  ['a status that is NaN', { status: NaN, text: '', headers: {} }],
  ['no text', { status: 200, headers: {} }],
];

const calls: [string, (endpoint: Endpoint, options?: JobOptions) => Observable<unknown>][] = [
  ['run', (endpoint) => endpoint.run(request)],
  ['runToEnd', (endpoint) => endpoint.runToEnd(request)],
  ['job', (endpoint, options) => endpoint.job(request, options).output$],
];

const unhandled: unknown[] = [];
beforeEach(() => {
  config.onUnhandledError = (error) => unhandled.push(error);
});
afterEach(() => {
  config.onUnhandledError = null;
  unhandled.length = 0;
});

/** Lets promises settle, then lets time pass. */
async function pass(here: World, ...moments: number[]) {
  for (const moment of moments) {
    await new Promise((done) => setImmediate(done));
    here.until(moment);
  }
}

/** How many jobs the service has, and how many of them nobody will ever end. */
const ledger = ({ emulator }: World) => ({
  jobs: emulator.jobs().length,
  running: emulator.jobs().filter(({ status }) => status === 'IN_QUEUE' || status === 'IN_PROGRESS').length,
});

/** A world in which `fails` says whether the function fails now. */
function fragile(make: (fails: () => boolean) => Partial<ClientOptions>) {
  let failing = true;
  const here = world(
    {},
    make(() => failing),
  );
  return { here, mend: () => (failing = false) };
}

/** Another call, once the function works: no slot is leaked, no loop is stuck. */
async function expectLaterCall(here: World, from: number) {
  const later = here.see(here.endpoint.job(request).output$);
  await pass(here, from + 1, from + 60_000, from + 120_000);
  expect(later.values).toEqual([{ echo: request.input }]);
}

describe('S20 apiKey', () => {
  for (const [call, subscribe] of calls)
    it.each(failures)(`that %s is a configuration error of ${call}, and nothing is sent`, async (_, gives) => {
      const { here, mend } = fragile((fails) => ({
        apiKey: any(() => (fails() ? gives() : 'key')),
        limits: { run: { concurrent: 1 } },
      }));
      const seen = here.see(subscribe(here.endpoint));
      await pass(here, 1, 2, 3);
      expect(seen.error).toMatchObject({ code: 'configuration', accepted: 'no' });
      expect(here.emulator.requests()).toEqual([]);
      mend();
      await expectLaterCall(here, 10);
    });

  it('S6 that fails once a job is left does not lose the cancel', async () => {
    let failing = false;
    const here = world({}, { apiKey: () => (failing ? fail() : 'key') });
    const seen = here.see(here.endpoint.job({ input: { ms: 600_000 } }).output$);
    here.until(2_000);
    failing = true;
    seen.subscription.unsubscribe();
    here.until(10_000);
    failing = false;
    await pass(here, 60_000);
    expect(here.emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
  });
});

describe('S1 a link', () => {
  for (const [call, subscribe] of calls) {
    it.each(failures)(`that %s is told to ${call}, and nothing is sent`, async (_, gives) => {
      const { here, mend } = fragile((fails) => ({
        links: [any((given: never, next: Handler) => (fails() ? gives() : next(given)))],
        limits: { run: { concurrent: 1 } },
      }));
      const seen = here.see(subscribe(here.endpoint));
      await pass(here, 1, 2, 3);
      expect(seen.error).toBeInstanceOf(Error);
      expect(here.emulator.jobs()).toEqual([]);
      mend();
      await expectLaterCall(here, 10);
    });

    it.each(nonsense)(`that answers %s by itself is a configuration error of ${call}`, (_, given) => {
      const here = world({}, { links: [any(() => of(given))] });
      const seen = here.see(subscribe(here.endpoint));
      here.until(1);
      expect(seen.error).toMatchObject({ code: 'configuration', accepted: 'no' });
    });

    it.each(nonsense)(
      `that makes %s of an answer leaves the fate of ${call} unknown, and sends it once`,
      (_, given) => {
        const link: Link = (asked, next) =>
          new Observable((subscriber) => next(asked).subscribe({ next: () => subscriber.next(any(given)) }));
        const here = world({}, { links: [link] });
        const seen = here.see(subscribe(here.endpoint));
        here.until(60_000);
        expect(seen.error).toMatchObject({ code: 'submission_unknown', accepted: 'unknown' });
        expect(ledger(here).jobs).toBe(1);
      },
    );
  }

  it.each<[string, object | undefined]>([
    ['nothing', undefined],
    ['an empty object', {}],
    ['no headers', { url: 'http://localhost/v2/demo/run', timeout: 5 }],
    ['a URL that is no text', { url: 5, headers: {}, timeout: 5 }],
    ['a body that is no text', { url: 'http://localhost/v2/demo/run', headers: {}, body: {}, timeout: 5 }],
    ['a timeout of NaN', { url: 'http://localhost/v2/demo/run', headers: {}, timeout: NaN }],
  ])('that passes on %s is a configuration error, and nothing is sent', (_, changed) => {
    const here = world({}, { links: [(_request, next) => next(any(changed))] });
    for (const call of [here.endpoint.run(request), here.endpoint.status('a'), here.endpoint.watch('a')]) {
      const seen = here.see(call);
      here.until(here.scheduler.now() + 1);
      expect(seen.error).toMatchObject({ code: 'configuration' });
    }
    expect(here.emulator.requests()).toEqual([]);
  });

  it('that calls a submission a read does not have it repeated', () => {
    const link: Link = (asked, next) => next({ ...asked, kind: 'read', operation: 'status', method: 'GET' });
    const here = world({ faults: [{ fault: 'reset-after', on: 'run' }] }, { links: [link] });
    const seen = here.see(here.endpoint.run(request));
    here.until(200_000);
    expect(seen.error).toMatchObject({ code: 'submission_unknown' });
    expect(ledger(here).jobs).toBe(1);
  });

  it('that answers twice delivers one answer', () => {
    const link: Link = (asked, next) =>
      new Observable((subscriber) =>
        next(asked).subscribe((reply) => {
          subscriber.next(reply);
          subscriber.next(reply);
        }),
      );
    const here = world({}, { links: [link] });
    const seen = here.see(here.endpoint.run(request));
    here.until(1);
    expect(seen).toMatchObject({ values: [{ status: 'IN_QUEUE' }], ended: 0 });
  });
});

describe('S1 a transport', () => {
  const answers: [string, () => unknown][] = [
    ...failures,
    ...nonsense.map(([name, given]): [string, () => unknown] => [`emits ${name}`, () => of(given)]),
    ['errors with a text', () => throwError(() => 'broken')],
  ];
  for (const [call, subscribe] of calls)
    it.each(answers)(`that %s leaves the fate of ${call} unknown, and is called once`, async (_, gives) => {
      let sent = 0;
      let failing = true;
      const here: World = world(
        {},
        {
          limits: { run: { concurrent: 1 } },
          transport: any((asked: never) => {
            if (!failing) return here.emulator.transport(asked);
            sent++;
            return gives();
          }),
        },
      );
      const seen = here.see(subscribe(here.endpoint));
      await pass(here, 1, 2, 3);
      expect(seen.error).toMatchObject({ code: 'submission_unknown', accepted: 'unknown' });
      expect([sent, here.activity.map(({ type }) => type)]).toEqual([1, ['request', 'failure', 'error']]);
      failing = false;
      await expectLaterCall(here, 10);
    });

  it('that gives no headers is read all the same, also where it says 429', () => {
    const replies = [
      { status: 429, text: '' },
      { status: 200, text: '{"id":"a","status":"IN_QUEUE"}' },
    ];
    const here = world({}, { transport: any(() => of(replies.shift())) });
    const seen = here.see(here.endpoint.run(request));
    here.until(60_000);
    expect(seen).toMatchObject({ values: [{ id: 'a' }] });
  });

  it('that cannot close does not lose the report', () => {
    const here = world();
    const { transport } = here.emulator;
    const { scheduler } = here;
    const client = createRunpod({
      transport: Object.assign(
        any((r: never) => transport(r)),
        { close: fail },
      ),
      scheduler,
      apiKey: 'key',
    });
    const seen = here.see(client.close());
    here.until(1);
    expect(seen).toMatchObject({ values: [{ cancelled: [] }], ended: 0 });
    expect(unhandled).toEqual([broken]);
  });
});

describe('S2 S11 random', () => {
  it.each<[string, () => unknown]>([
    ['throws', fail],
    ['returns NaN', () => NaN],
    ['returns 2', () => 2],
    ['returns -1', () => -1],
    ['returns Infinity', () => Infinity],
    ['returns text', () => 'x'],
  ])('that %s fails no job, and pauses keep their bounds', (_, random) => {
    const here = world({ faults: [{ fault: 'html-502', on: 'status', times: 2 }] }, { random: any(random) });
    const seen = [here.endpoint.job(request).output$, here.endpoint.runToEnd(request)].map((view) => here.see(view));
    const left = here.see(here.endpoint.job({ input: { ms: 600_000 } }).output$);
    here.until(30_000);
    left.subscription.unsubscribe();
    here.until(60_000);
    expect(seen.map(({ ended, error }) => [ended! < 30_000, error])).toEqual([
      [true, undefined],
      [true, undefined],
    ]);
    expect(ledger(here)).toEqual({ jobs: 3, running: 0 });
  });
});

describe('S20 a schema', () => {
  const schemas: [string, () => unknown][] = [
    ...failures,
    ['returns issues that are no list', () => ({ issues: 5 })],
    ['returns an issue that is null', () => ({ issues: [null] })],
  ];
  const schema = (validate: unknown): never => any({ '~standard': { version: 1, vendor: 'test', validate } });
  const endpointOf = ({ client }: World, options: EndpointOptions<object, unknown, unknown>) =>
    client.endpoint('demo', options) as Endpoint;

  for (const [call, subscribe] of calls)
    it.each(schemas)(
      `of the input that %s is a validation error of ${call}, and nothing is sent`,
      async (_, validate) => {
        const here = world();
        const seen = here.see(subscribe(endpointOf(here, { input: schema(validate) })));
        await pass(here, 1, 2, 3);
        expect(seen.error).toMatchObject({ code: 'validation', accepted: 'no', issues: [{ field: 'input' }] });
        expect(here.emulator.requests()).toEqual([]);
      },
    );

  for (const [call, subscribe] of calls.slice(1))
    it.each(schemas)(`of the output that %s is an error of ${call} that has the paid output`, async (_, validate) => {
      const here = world();
      const seen = here.see(subscribe(endpointOf(here, { output: schema(validate) })));
      await pass(here, 1, 30_000, 60_000);
      expect(seen.error).toMatchObject({ code: 'job_output', snapshot: { output: { echo: request.input } } });
      expect(here.emulator.jobs()).toMatchObject([{ status: 'COMPLETED' }]);
    });
});

describe('S20 beforeSubmit', () => {
  it.each(failures)('that %s errors the views, and nothing is sent', async (_, beforeSubmit) => {
    const here = world();
    const job = here.endpoint.job(request, { beforeSubmit: any(beforeSubmit) });
    const seen = [job.output$, job.state$, job.id$].map((view) => here.see(view));
    await pass(here, 1, 2, 3);
    for (const one of seen) expect(one.error).toBeInstanceOf(Error);
    expect(here.emulator.requests()).toEqual([]);
    await expectLaterCall(here, 10);
  });

  it('that never emits waits, until the caller leaves', () => {
    const here = world();
    const seen = here.see(here.endpoint.job(request, { beforeSubmit: () => new Observable() }).output$);
    here.until(600_000);
    seen.subscription.unsubscribe();
    const closed = here.see(here.client.close());
    here.until(600_001);
    expect([here.emulator.requests(), closed.ended]).toEqual([[], 600_000]);
  });
});

describe('S26 notices', () => {
  it.each<[string, unknown]>([
    ['throw on subscribe', new Observable(fail)],
    ['of another library throw on subscribe', { subscribe: fail }],
    ['error', throwError(() => broken)],
    ['complete', EMPTY],
    ['are nonsense', of(undefined, null, 5, 'x', [], {}, { id: 5 }, { id: {} })],
  ])('that %s leave a job as it is', (_, notices) => {
    const here = world({}, { notices: any(notices) });
    const seen = here.see(here.endpoint.job(request).output$);
    here.until(30_000);
    expect(seen.values).toEqual([{ echo: request.input }]);
  });
});

describe('S7 an observer that throws', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('of activity$, or of a view, is reported as unhandled, and the job and its other views go on', () => {
    const here = world();
    here.client.activity$.subscribe(fail);
    const job = here.endpoint.job(request);
    job.state$.subscribe(fail);
    job.events$.subscribe({ next: fail, error: fail, complete: fail });
    const seen = here.see(job.output$);
    here.until(30_000);
    vi.runAllTimers();
    expect(seen.values).toEqual([{ echo: request.input }]);
    expect(new Set(unhandled)).toEqual(new Set([broken]));
    expect(ledger(here)).toEqual({ jobs: 1, running: 0 });
  });
});

describe('S23 a scheduler that throws once', () => {
  it('keeps no later request from being sent', () => {
    const scheduler = new VirtualTimeScheduler();
    let failing = false;
    const schedule = scheduler.schedule.bind(scheduler);
    Object.assign(scheduler, {
      schedule: (...given: Parameters<typeof schedule>) => (failing ? fail() : schedule(...given)),
    });
    const client = createRunpod({
      transport: () => of({ status: 200, headers: {}, text: '{"id":"a","status":"COMPLETED"}' }),
      scheduler,
      apiKey: 'key',
      limits: { run: { requests: 1, per: 1_000 } },
    });
    const endpoint = client.endpoint('demo');
    const seen: unknown[] = [];
    endpoint.run(request).subscribe((snapshot) => seen.push(snapshot));
    failing = true;
    endpoint.run(request).subscribe({ error: (error: unknown) => seen.push(error) });
    failing = false;
    scheduler.schedule(() => undefined, 5_000);
    scheduler.flush();
    endpoint.run(request).subscribe((snapshot) => seen.push(snapshot));
    scheduler.flush();
    expect(seen).toMatchObject([{ id: 'a' }, broken, { id: 'a' }]);
  });
});

describe('S24 the inputs of a pipeline', () => {
  const iterator = (methods: object) => ({ [Symbol.iterator]: () => methods });
  const asyncIterator = (methods: object) => ({ [Symbol.asyncIterator]: () => methods });
  const some = { done: false, value: { input: { ms: 600_000 } } };

  it.each<[string, unknown]>([
    ['whose next throws', iterator({ next: fail })],
    ['whose next gives nothing', iterator({ next: () => undefined })],
    ['of promises whose next throws', asyncIterator({ next: fail })],
    ['of promises whose next rejects', asyncIterator({ next: () => Promise.reject(broken) })],
    ['of promises whose next gives nothing', asyncIterator({ next: () => Promise.resolve(undefined) })],
    ['of promises whose next gives no promise', asyncIterator({ next: () => undefined })],
    ['that cannot be opened', { [Symbol.iterator]: fail }],
    ['that give no iterator', { [Symbol.asyncIterator]: () => undefined }],
  ])('%s end the pipeline with an error', async (_, inputs) => {
    const here = world();
    const seen = here.see(runAll(here.endpoint, any(inputs), { scheduler: here.scheduler }));
    await pass(here, 1, 2, 3);
    expect(seen.error).toBeInstanceOf(Error);
    expect(ledger(here)).toEqual({ jobs: 0, running: 0 });
  });

  it.each<[string, (methods: object) => unknown]>([
    ['an iterator', iterator],
    ['an async iterator', asyncIterator],
  ])('S6 where return of %s throws, unsubscribing cancels the jobs, and throws nothing', async (_, open) => {
    const here = world();
    const inputs = open({ next: () => some, return: fail });
    const seen = here.see(runAll(here.endpoint, any(inputs), { concurrency: 2, scheduler: here.scheduler }));
    await pass(here, 1, 2, 3, 4);
    expect(ledger(here)).toEqual({ jobs: 2, running: 2 });
    seen.subscription.unsubscribe();
    await pass(here, 60_000);
    expect(ledger(here)).toEqual({ jobs: 2, running: 0 });
    expect(unhandled).toEqual([broken]);
  });
});

describe('S24 the controls of a pipeline', () => {
  it.each<[string, unknown]>([
    ['NaN', NaN],
    ['a negative number', -1],
    ['text', '5'],
    ['nothing', undefined],
  ])('a concurrency that emits %s ends the pipeline when its jobs have ended', (_, emitted) => {
    const here = world();
    const concurrency = new Observable<number>((subscriber) => {
      subscriber.next(1);
      here.at(500, () => {
        subscriber.next(any(emitted));
      });
    });
    const seen = here.see(runAll(here.endpoint, [request, request], { concurrency, scheduler: here.scheduler }));
    here.until(60_000);
    expect(seen).toMatchObject({ values: [{ ok: true }], error: { code: 'configuration' } });
    expect(ledger(here)).toEqual({ jobs: 1, running: 0 });
  });

  it('an observer of dead letters or totals that throws leaves no job running', () => {
    for (const options of [{ deadLetters: { next: fail } }, { totals: { next: fail } }]) {
      const here = world({ endpoints: { bad: { handler: fail } } });
      const inputs = [request, request, { input: { ms: 600_000 } }];
      const runs = [here.client.endpoint('bad'), here.endpoint, here.endpoint];
      const seen = here.see(
        runAll(
          any((asked: never, n: number) => runs[n]!.runToEnd(asked)),
          inputs,
          any({ ...options, scheduler: here.scheduler }),
        ),
      );
      here.until(120_000);
      expect(seen.error).toBe(broken);
      expect(ledger(here).running).toBe(0);
    }
  });
});
