import {
  EMPTY,
  NEVER,
  Subject,
  concat,
  delay,
  map,
  mergeMap,
  observable,
  of,
  retry,
  take,
  takeUntil,
  throwError,
  timer,
} from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import type { Activity, ClientOptions, Endpoint, Link, Reply, Runpod, Transport } from 'runpod-rx';
import { expectNoKey } from '../support/wire.js';
import { clock, script, type Seen } from '../support/world.js';

const input = { x: 1 };
const queued = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const reply = (body: unknown): Reply => ({ status: 200, headers: {}, text: JSON.stringify(body) });
const KEY = 'test-key-placeholder';

/** A client over a transport that a user wrote. */
function over(transport: Transport, options: Partial<ClientOptions> = {}) {
  const time = clock();
  const { scheduler } = time;
  const client = createRunpod({ transport, scheduler, apiKey: KEY, random: () => 0.5, retry: false, ...options });
  const activity: Activity[] = [];
  client.activity$.subscribe((event) => activity.push(event));
  return { ...time, client, endpoint: client.endpoint('demo'), activity };
}

/** The report of `settled()`; `undefined` while a submission or a cancel is pending. */
function settled(client: Runpod, see: <T>(source: Observable<T>) => Seen<T>) {
  const seen = see(client.settled());
  seen.subscription.unsubscribe();
  return seen.values[0];
}

describe('a transport or a link that', () => {
  const passing: Link = (request, next) => next(request);
  const places: [
    string,
    (answer: (reply: Reply) => Observable<Reply>) => Pick<ClientOptions, 'transport' | 'links'>,
  ][] = [
    ['a transport', (answer) => ({ transport: () => answer(reply(queued.body)), links: [passing] })],
    [
      'a link',
      (answer) => ({
        transport: () => of(reply(queued.body)),
        links: [(request, next) => next(request).pipe(mergeMap(answer))],
      }),
    ],
  ];

  test.each(places)(
    'S5 S23 answers without completing: the answer of %s ends the call and frees its place in the budget',
    (_, at) => {
      const { transport, links } = at((answer) => concat(of(answer), NEVER));
      const { endpoint, see } = over(transport, { links, limits: { run: { concurrent: 2 } } });
      const seen = [1, 2, 3, 4].map(() => see(endpoint.run({ input }).pipe(take(1))));
      seen.push(see(endpoint.run({ input })));
      for (const { values, ended } of seen) expect([values.length, ended]).toEqual([1, 0]);
    },
  );

  test.each(places)('S1 answers twice: only the first answer of %s counts', (_, at) => {
    const { transport, links } = at((answer) => of(answer, { ...answer, text: '{"id":"job-2","status":"IN_QUEUE"}' }));
    const { endpoint, see } = over(transport, { links });
    expect(see(endpoint.run({ input })).values).toMatchObject([{ id: 'job-1' }]);
    expect(see(endpoint.status('job-1')).values).toMatchObject([{ id: 'job-1' }]);
  });

  test('S1 S7 S16 completes without an answer: calls end with an error that counts the request as sent', () => {
    const { endpoint, see, until } = over(() => EMPTY);
    const [run, status, watch, stream] = [
      see(endpoint.run({ input })),
      see(endpoint.status('job-1')),
      see(endpoint.watch('job-1', { outage: 3_000 })),
      see(endpoint.stream('job-1', { outage: 3_000 })),
    ];
    until(60_000);
    expect(run.error).toMatchObject({ code: 'submission_unknown', accepted: 'unknown', cause: { phase: 'sent' } });
    for (const { values, error } of [status, watch, stream]) {
      expect(values).toEqual([]);
      expect(error).toMatchObject({ code: 'connection', phase: 'sent' });
    }
    // The unanswered stream read may have taken chunks, so the next reader gets a gap.
    expect(see(endpoint.stream('job-1', { onGap: 'error' })).error).toMatchObject({ code: 'stream_gap' });
  });

  test('S6 completes without an answer to the cancel of an abandoned job: close() reports the cancel as given up', () => {
    const { client, endpoint, scheduler, see, until } = over(({ operation }) =>
      operation === 'cancel' ? EMPTY : of(reply(queued.body)).pipe(delay(20, scheduler)),
    );
    see(endpoint.run({ input })).subscription.unsubscribe();
    until(1_000);
    expect(settled(client, see)).toBeUndefined();
    const closing = see(client.close());
    until(700_000);
    expect(closing.values).toMatchObject([{ abandoned: [{ id: 'job-1' }] }]);
  });

  test('S21 throws an error with the key in its message: the key is removed, and the call fails as usual', () => {
    const { activity, endpoint, see } = over(({ headers }) => {
      throw new Error(`cannot send ${JSON.stringify(headers)}`);
    });
    const run = see(endpoint.run({ input }));
    const status = see(endpoint.status('job-1'));
    expect(run.error).toMatchObject({ code: 'submission_unknown', cause: { code: 'connection' } });
    expect(status.error).toMatchObject({ code: 'connection', phase: 'sent', jobId: 'job-1' });
    for (const { error } of [run, status]) {
      expect((error as Error).message).toContain('cannot send');
      expectNoKey(error, KEY);
    }
    expect(activity.map(({ type }) => type)).toEqual(['request', 'failure', 'error', 'request', 'failure', 'error']);
    expectNoKey(activity, KEY);
  });

  test.each<[string, () => Observable<unknown>]>([
    ['undefined instead of an answer', () => of(undefined)],
    ['a refusal without headers', () => of({ status: 429, text: '' })],
    ['an error that cannot be converted to a string', () => throwError(() => Object.create(null) as unknown)],
  ])('S4 S23 gives %s: the call ends with an error and frees its place in the budget', (_, answer) => {
    const { scheduler, ...time } = clock();
    const transport = () => timer(10, scheduler).pipe(mergeMap(() => concat(answer(), NEVER))) as Observable<Reply>;
    const limits = { run: { concurrent: 1 }, status: { concurrent: 1 } };
    const client = createRunpod({ transport, scheduler, apiKey: KEY, retry: false, limits });
    const endpoint = client.endpoint('demo');
    const seen = [endpoint.run({ input }), endpoint.run({ input }), endpoint.status('job-1')].map((call) =>
      time.see<unknown>(call),
    );
    time.until(1_000);
    expect(seen.map(({ values, ended }) => [values.length, ended])).toEqual([
      [0, 10],
      [0, 20],
      [0, 10],
    ]);
    for (const { error } of seen) expect(error).toBeInstanceOf(Error);
    expect(settled(client, time.see)).toBeDefined();
  });

  test('S23 answers twice at once: a 429 as the second answer does not slow other calls', () => {
    const { endpoint, see } = over(() => of(reply(queued.body), { status: 429, headers: {}, text: '' }), {
      limits: { status: { requests: 2, per: 10_000 } },
    });
    const seen = ['job-1', 'job-1'].map((id) => see(endpoint.status(id)));
    for (const { values, ended } of seen) expect([values.length, ended]).toEqual([1, 0]);
  });

  test('returns an Observable of another copy of RxJS: the call succeeds', () => {
    const another = { [observable]: () => of(reply(queued.body)), pipe: undefined };
    const { endpoint, see } = over(() => another as unknown as Observable<Reply>);
    expect(see(endpoint.run({ input })).values).toMatchObject([{ id: 'job-1' }]);
  });

  test('S1 throws before it connects: the submission is sent again', () => {
    let sent = 0;
    const { endpoint, see, until } = over(
      () => {
        if (++sent === 1) throw Object.assign(new Error('no socket'), { phase: 'connect' });
        return of(reply(queued.body));
      },
      { retry: {} },
    );
    const seen = see(endpoint.run({ input }));
    until(1_000);
    expect(sent).toBe(2);
    expect(seen.values).toHaveLength(1);
  });
});

test('S21 a key that a function returns as a string is sent whole', () => {
  const { endpoint, sent, see } = script(() => queued, { apiKey: () => KEY });
  see(endpoint.status('job-1'));
  expect(sent.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${KEY}`]);
});

describe('S6 a cancel that is never sent is given up after ten minutes', () => {
  const abandonRun = (options: Partial<ClientOptions>) => {
    const made = script(() => ({ ...queued, after: 10 }), options);
    made.see(made.endpoint.run({ input })).subscription.unsubscribe();
    made.until(1_000);
    return made;
  };

  test.each<[string, () => Partial<ClientOptions>]>([
    [
      'the key never arrives',
      () => {
        let asked = 0;
        return { apiKey: () => (asked++ ? NEVER : of('key')) };
      },
    ],
    [
      'a link never passes it on',
      () => ({ links: [(request, next) => (request.operation === 'cancel' ? NEVER : next(request))] }),
    ],
  ])('because %s', (_, hangingOptions) => {
    const { client, scheduler, sent, see, until } = abandonRun(hangingOptions());
    expect(settled(client, see)).toBeUndefined();
    const closing = see(client.close());
    until(590_000);
    expect(closing.values).toEqual([]);
    until(610_000);
    expect(closing.values).toMatchObject([{ abandoned: [{ id: 'job-1' }] }]);
    expect(sent.map(({ operation }) => operation)).toEqual(['run']);
    expect(scheduler.actions).toEqual([]);
  });
});

test('S5 a submission that a link repeats, and that waits for budget, is not sent once it is abandoned', () => {
  const { client, endpoint, sent, see, until } = script(
    (_, nth) => (nth === 1 ? { phase: 'sent' } : { ...queued, after: 100 }),
    { limits: { run: { requests: 1, per: 10_000 } }, links: [(request, next) => next(request).pipe(retry(1))] },
  );
  const seen = see(endpoint.run({ input }));
  until(1_000);
  seen.subscription.unsubscribe();
  until(60_000);
  expect(sent.map(({ operation }) => operation)).toEqual(['run']);
  // The first request was sent, and its answer was lost.
  expect(settled(client, see)).toMatchObject({
    cancelled: [],
    finished: [],
    abandoned: [],
    lost: [{ operation: 'run', submittedAt: 0 }],
  });
});

test('S13 abandoning a submission in the pause before its repeat empties the scheduler', () => {
  const { endpoint, scheduler, see, until } = script(() => ({ status: 429, headers: { 'retry-after': '30' } }));
  const seen = see(endpoint.run({ input }));
  until(1_000);
  seen.subscription.unsubscribe();
  expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
});

describe('S7 the watchers of a job whose notices source errored', () => {
  const broken = () => {
    const notices = new Subject<unknown>();
    const made = script(
      ({ operation }) => ({
        body: { id: 'job-1', status: operation === 'cancel' ? 'CANCELLED' : 'IN_PROGRESS' },
        after: 5,
      }),
      { notices },
    );
    const first = made.see(made.endpoint.watch('job-1', { every: 5_000 }));
    made.until(100);
    notices.error(new Error('the channel is gone'));
    return { ...made, first };
  };

  test('still share their reads', () => {
    const { endpoint, first, sent, see, until } = broken();
    until(2_500);
    const second = see(endpoint.watch('job-1', { every: 5_000 }));
    until(33_000);
    expect(sent.map(({ at }) => at)).toEqual([0, 2_500, 7_505, 12_510, 17_515, 22_520, 27_525, 32_530]);
    for (const { error, ended } of [first, second]) expect([error, ended]).toEqual([undefined, undefined]);
  });

  test('still read the job at once after a cancel', () => {
    const { endpoint, sent, see, until } = broken();
    until(1_000);
    see(endpoint.cancel('job-1'));
    until(2_000);
    expect(sent.map(({ at, operation }) => `${at} ${operation}`)).toEqual(['0 status', '1000 cancel', '1005 status']);
  });
});

describe('S16 a link that throws after the answer to a stream read', () => {
  const chunks = (status: string, ...outputs: unknown[]) => ({
    body: { status, stream: outputs.map((output) => ({ output })) },
  });
  const failing = (output: unknown) => {
    let failed = false;
    const link: Link = (request, next) =>
      next(request).pipe(
        map((answer) => {
          if (failed || request.operation !== 'stream') return answer;
          failed = true;
          throw new TypeError('a link broke');
        }),
      );
    const answers = [chunks('IN_PROGRESS', 1), chunks('COMPLETED', 2), chunks('COMPLETED')];
    return script(
      ({ operation }) =>
        operation === 'stream' ? answers.shift()! : { body: { id: 'job-1', status: 'COMPLETED', output } },
      { links: [link] },
    );
  };

  test('loses chunks, and the reader gets a StreamGapError at the end', () => {
    const { endpoint, see, until } = failing(undefined);
    const seen = see(endpoint.stream('job-1'));
    until(60_000);
    expect(seen.values).toEqual([]);
    expect(seen.error).toMatchObject({ code: 'stream_gap', delivered: 0, held: [2] });
  });

  test('loses chunks, and the output of the job restores them', () => {
    const { endpoint, see, until } = failing([1, 2]);
    const seen = see(endpoint.stream('job-1'));
    until(60_000);
    expect(seen.values).toEqual([1, 2]);
    expect(seen.error).toBeUndefined();
  });
});

describe('S23 request() has the limits and the repeats of the operation that its path names', () => {
  test('a stream read is sent once, because it takes chunks', () => {
    const { endpoint, sent, see, until } = script(() => ({ status: 503 }));
    const seen = see(endpoint.request('stream/job-1'));
    until(60_000);
    expect(sent).toHaveLength(1);
    expect(seen.error ?? seen.values[0]).toMatchObject({ status: 503 });
  });

  test('a status read shares its limits with status()', () => {
    const { endpoint, sent, see, until } = script(() => ({ ...queued, after: 100 }), {
      limits: { status: { concurrent: 1 } },
    });
    see(endpoint.request('status/job-2'));
    see(endpoint.status('job-1'));
    see(endpoint.request('status/job-3'));
    until(1_000);
    expect(sent.map(({ at }) => at)).toEqual([0, 100, 200]);
  });
});

describe('S5 unsubscribing while a function of the user runs, before the request is sent', () => {
  const userFunctions: [string, (act: () => void) => Partial<ClientOptions>][] = [
    ['a link', (act) => ({ links: [(request, next) => (act(), next(request))] })],
    ['apiKey', (act) => ({ apiKey: () => (act(), KEY) })],
  ];
  const calls: [string, (endpoint: Endpoint) => Observable<unknown>][] = [
    ['run', (endpoint) => endpoint.run({ input })],
    ['runSync', (endpoint) => endpoint.runSync({ input })],
    ['runToEnd', (endpoint) => endpoint.runToEnd({ input })],
    ['watch', (endpoint) => endpoint.watch('job-1')],
    ['stream', (endpoint) => endpoint.stream('job-1')],
    ['health', (endpoint) => endpoint.health()],
    ['watchHealth', (endpoint) => endpoint.watchHealth()],
    ['diagnosis$', (endpoint) => endpoint.attach('job-1').diagnosis$],
    ['retry', (endpoint) => endpoint.retry('job-1')],
    ['cancel', (endpoint) => endpoint.cancel('job-1')],
    ['status', (endpoint) => endpoint.status('job-1')],
  ];

  test.each(
    userFunctions.flatMap(([place, options]) => calls.map(([name, call]) => [place, name, options, call] as const)),
  )('sends nothing: %s, %s', (_place, _name, options, call) => {
    const unsubscribe$ = new Subject<void>();
    const { client, endpoint, sent, see, until } = script(() => ({ ...queued, after: 10 }), {
      limits: false,
      ...options(() => {
        unsubscribe$.next();
      }),
    });
    see(call(endpoint).pipe(takeUntil(unsubscribe$)));
    until(60_000);
    expect(sent).toEqual([]);
    expect(settled(client, see)).toEqual({ cancelled: [], finished: [], abandoned: [], lost: [] });
  });
});
