import {
  NEVER,
  Subject,
  concat,
  delay,
  ignoreElements,
  map,
  merge,
  of,
  race,
  switchMap,
  takeUntil,
  takeWhile,
  tap,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Job, JobOptions, LeavePolicy, SettleReport } from 'runpod-rx';
import { demo, script, statuses, world, type Answer, type Seen, type World } from '../support/world.js';
import { asked, expectSilence, look, nothing, owning, settled } from './support.js';

const input = { ms: 20_000 };
const queued = { id: 'job-1', status: 'IN_QUEUE' };

/** The ways to unsubscribe from a view, each at a moment. */
const ways = {
  unsubscribe: ({ see, at }, ms, view) => {
    const seen = see(view(undefined));
    at(ms, () => {
      seen.subscription.unsubscribe();
    });
    return seen;
  },
  takeUntil: ({ see, scheduler }, ms, view) => see(view(undefined).pipe(takeUntil(timer(ms, scheduler)))),
  switchMap: ({ see, scheduler }, ms, view) =>
    see(concat(of(view(undefined)), timer(ms, scheduler).pipe(map(() => NEVER))).pipe(switchMap((next$) => next$))),
  race: ({ see, scheduler }, ms, view) =>
    see(race(view(undefined).pipe(ignoreElements()), timer(ms, scheduler).pipe(ignoreElements()))),
  'the operator timeout': ({ see, scheduler }, ms, view) =>
    see(view(undefined).pipe(ignoreElements(), timeout({ first: ms, scheduler }))),
  'an error further down': ({ see, at }, ms, view) => {
    const bad = new Subject<never>();
    at(ms, () => {
      bad.error(new Error('elsewhere'));
    });
    return see(merge(view(undefined), bad));
  },
  'its signal': ({ see, at }, ms, view) => {
    const controller = new AbortController();
    at(ms, () => {
      controller.abort('enough');
    });
    return see(view(controller.signal));
  },
} satisfies Record<
  string,
  (world: World, ms: number, view: (signal: AbortSignal | undefined) => Observable<unknown>) => Seen<unknown>
>;
const everyWay = Object.entries(ways).map(([name, leave]) => ({ name, leave }));

/** A job by its stage one second after it was first subscribed to; one worker, and requests that take 200 ms. */
const single = { latency: 200, endpoints: { demo: { ...demo, workers: 1 } } };
/** Occupies the only worker. */
function busy({ endpoint, see, until }: World) {
  see(endpoint.run({ input: { ms: 1_000_000 } }));
  until(1_000);
}
/** The status of the job under test, which is the last that was submitted. */
const fate = ({ emulator }: World) => emulator.jobs().at(-1)!;

describe.each(everyWay)('S4 left by $name', ({ name, leave }) => {
  const leaveAt = (made: World, ms: number, options: JobOptions = {}) => {
    let job!: Job;
    const seen = leave(made, ms, (signal) => (job = made.endpoint.job({ input }, { ...options, signal })).output$);
    return { job, seen };
  };

  test.each<[LeavePolicy, number]>([
    ['cancel', 1],
    ['cancel-if-queued', 0],
    ['detach', 0],
  ])('while it runs, with %s, sends this many cancels: %i', (onUnsubscribe, cancels) => {
    const made = world({ latency: 200 });
    const { seen } = leaveAt(made, 5_000, { onUnsubscribe });
    made.until(10_000);
    expect(seen.values).toEqual([]);
    expect(asked(made).run).toBe(1);
    expect(asked(made).cancel ?? 0).toBe(cancels);
    if (cancels) expect(made.wire('cancel')).toEqual(['5000-5200 cancel 200']);
    made.until(100_000);
    expect(fate(made)).toMatchObject({ status: cancels ? 'CANCELLED' : 'COMPLETED', cancelRequests: cancels });
    expect(settled(made)).toEqual({ ...nothing, ...(cancels && { cancelled: [fate(made).id] }) });
    expectSilence(made);
  });

  test.each<[LeavePolicy, number]>([
    ['cancel', 1],
    ['cancel-if-queued', 1],
    ['detach', 0],
  ])('while it is queued, with %s, sends this many cancels: %i', (onUnsubscribe, cancels) => {
    const made = world(single);
    busy(made);
    const { seen } = leaveAt(made, 5_000, { onUnsubscribe });
    made.until(100_000);
    expect(seen.values).toEqual([]);
    expect(asked(made)).toMatchObject({ run: 2 });
    expect(asked(made).cancel ?? 0).toBe(cancels);
    expect(fate(made)).toMatchObject({ status: cancels ? 'CANCELLED' : 'IN_QUEUE', cancelRequests: cancels });
    // Cancelling one job has no effect on another.
    expect(made.emulator.jobs()[0]).toMatchObject({ status: 'IN_PROGRESS', cancelRequests: 0 });
  });

  test.each<[LeavePolicy, number]>([
    ['cancel', 1],
    ['cancel-if-queued', 0],
    ['detach', 0],
  ])(
    'S5 while the submission is on its way, with %s, reads it to its end and sends this many cancels: %i',
    (onUnsubscribe, n) => {
      const made = world({ latency: 2_000 });
      leaveAt(made, 500, { onUnsubscribe });
      made.until(600);
      // The answer is waited for with every policy.
      expect(settled(made)).toBeUndefined();
      made.until(100_000);
      expect(made.wire('run')).toEqual(['0-2000 run 200']);
      expect(asked(made).cancel ?? 0).toBe(n);
      if (n) expect(made.wire('cancel')).toEqual(['2000-4000 cancel 200']);
      expect(settled(made)).toEqual({ ...nothing, ...(n && { cancelled: [fate(made).id] }) });
    },
  );

  test.each<LeavePolicy>(['cancel', 'cancel-if-queued', 'detach'])(
    'S5 while it waits for budget, with %s: it is never sent, and a later subscriber submits anew',
    (onUnsubscribe) => {
      const limits = { run: { concurrent: 1 } };
      const made = world({ latency: 2_000 }, { limits });
      made.see(made.endpoint.run({ input }));
      const { job, seen } = leaveAt(made, 500, { onUnsubscribe });
      made.until(10_000);
      expect(seen.values).toEqual([]);
      expect(asked(made)).toEqual({ run: 1 });
      expect(settled(made)).toEqual(nothing);
      if (name === 'its signal') {
        expect(seen).toMatchObject({ error: { name: 'AbortError', cause: 'enough' }, ended: 500 });
        return;
      }
      const again = made.see(job.output$);
      made.until(100_000);
      expect(again.values).toEqual([{ echo: input }]);
      expect(asked(made)).toMatchObject({ run: 2 });
    },
  );

  test('S5 while it waits for a repeat: it is not sent again', () => {
    const made = world({}, {});
    const refusing = script(({ operation }) => (operation === 'run' ? { status: 429 } : { body: queued }), {
      retry: { base: 20_000, max: 20_000 },
    });
    let job!: Job;
    leave({ ...made, ...refusing }, 500, (signal) => (job = refusing.endpoint.job({ input }, { signal })).output$);
    refusing.until(1_000_000);
    expect(asked(refusing)).toEqual({ run: 1 });
    expect(settled(refusing)).toEqual(nothing);
    expect(job).toBeDefined();
  });

  test.each<LeavePolicy>(['cancel', 'cancel-if-queued', 'detach'])(
    'S5 in beforeSubmit, with %s: it is never sent',
    (p) => {
      const made = world();
      let begun = 0;
      leaveAt(made, 500, {
        onUnsubscribe: p,
        beforeSubmit: (request) => {
          begun++;
          return of(request).pipe(delay(1_000, made.scheduler));
        },
      });
      made.until(100_000);
      expect(begun).toBe(1);
      expect(asked(made)).toEqual({});
      expect(settled(made)).toEqual(nothing);
    },
  );

  test('a job that is over is not cancelled', () => {
    const made = world({ latency: 200 });
    const { seen } = leaveAt(made, 60_000);
    made.until(100_000);
    if (name !== 'race' && name !== 'the operator timeout') expect(seen.values).toEqual([{ echo: input }]);
    expect(asked(made)).not.toHaveProperty('cancel');
    expect(fate(made)).toMatchObject({ status: 'COMPLETED', cancelRequests: 0 });
    expect(settled(made)).toEqual(nothing);
  });

  test('then subscribing again: emits the true final state, and submits nothing', () => {
    if (name === 'its signal') return;
    const made = world({ latency: 200 });
    const { job } = leaveAt(made, 5_000);
    made.until(5_100);
    const early = look(made, job, 'state$', 'output$');
    made.until(50_000);
    const late = look(made, job, 'state$', 'output$');
    made.until(100_000);
    for (const again of [early, late]) {
      expect(statuses(again.state$ as Seen<{ status: string }>).at(-1)).toBe('CANCELLED');
      expect(again.state$.ended).toBeDefined();
      expect(again.output$.error).toMatchObject({ code: 'job_cancelled', jobId: fate(made).id });
    }
    expect(asked(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('with detach, then subscribing again: reading goes on to the output', () => {
    if (name === 'its signal') return;
    const made = world({ latency: 200 });
    const { job } = leaveAt(made, 5_000, { onUnsubscribe: 'detach' });
    made.until(8_000);
    const again = made.see(job.output$);
    made.until(100_000);
    expect(again.values).toEqual([{ echo: input }]);
    expect(asked(made)).toMatchObject({ run: 1 });
    expect(asked(made)).not.toHaveProperty('cancel');
  });

  test('with cancel-if-queued while it runs, then subscribing again: reading goes on to the output', () => {
    if (name === 'its signal') return;
    const made = world({ latency: 200 });
    const { job } = leaveAt(made, 5_000, { onUnsubscribe: 'cancel-if-queued' });
    made.until(8_000);
    const again = made.see(job.output$);
    made.until(100_000);
    expect(again.values).toEqual([{ echo: input }]);
    expect(asked(made)).toMatchObject({ run: 1 });
    expect(asked(made)).not.toHaveProperty('cancel');
  });
});

describe('S4 releasing a job', () => {
  test.each(owning)('%s owns the job: its last subscriber cancels the job by unsubscribing', (name) => {
    const made = world({ latency: 200 });
    const { subscription } = made.see<unknown>(made.endpoint.job({ input })[name]);
    made.at(5_000, () => {
      subscription.unsubscribe();
    });
    made.until(100_000);
    expect(made.wire('cancel')).toEqual(['5000-5200 cancel 200']);
    expect(fate(made)).toMatchObject({ status: 'CANCELLED' });
  });

  test('the owning views are counted together', () => {
    const made = world({ latency: 200 });
    const job = made.endpoint.job({ input: { ms: 100_000 } });
    for (const [nth, name] of owning.entries()) {
      const { subscription } = made.see<unknown>(job[name]);
      made.at(5_000 + nth * 1_000, () => {
        subscription.unsubscribe();
      });
    }
    made.until(8_999);
    expect(asked(made)).not.toHaveProperty('cancel');
    made.until(100_000);
    expect(made.wire('cancel')).toEqual(['9000-9200 cancel 200']);
  });

  test('id$ and diagnosis$ do not keep a job from being released', () => {
    const made = world({ latency: 2_000 });
    const job = made.endpoint.job({ input });
    made.see(job.diagnosis$);
    made.see(job.id$);
    const { subscription } = made.see(job.output$);
    made.at(500, () => {
      subscription.unsubscribe();
    });
    made.until(100_000);
    expect(asked(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('unsubscribing from diagnosis$ has no effect on the job', () => {
    const made = world({ latency: 200 });
    const job = made.endpoint.job({ input });
    const result = made.see(job.output$);
    const { subscription } = made.see(job.diagnosis$);
    made.at(5_000, () => {
      subscription.unsubscribe();
    });
    made.until(100_000);
    expect(result.values).toEqual([{ echo: input }]);
    expect(asked(made)).not.toHaveProperty('cancel');
  });

  test('S5 the only id$ unsubscribed from before there is an id: the job, which nobody would know of, is cancelled', () => {
    const made = world({ latency: 2_000 });
    const job = made.endpoint.job({ input });
    const { subscription } = made.see(job.id$);
    made.at(500, () => {
      subscription.unsubscribe();
    });
    made.until(100_000);
    expect(made.wire('run')).toEqual(['0-2000 run 200']);
    expect(made.wire('cancel')).toEqual(['2000-4000 cancel 200']);
    expect(settled(made)).toEqual({ ...nothing, cancelled: [fate(made).id] });
  });

  test('S5 one of two id$ unsubscribed from before there is an id: the other emits it, and nothing is cancelled', () => {
    const made = world({ latency: 2_000 });
    const job = made.endpoint.job({ input });
    const { subscription } = made.see(job.id$);
    const other = made.see(job.id$);
    made.at(500, () => {
      subscription.unsubscribe();
    });
    made.until(100_000);
    expect(other.values).toEqual([fate(made).id]);
    expect(asked(made)).toEqual({ run: 1 });
  });

  test('unsubscribing from id$ after it completed has no effect on the job', () => {
    const made = world({ latency: 200 });
    const { subscription } = made.see(made.endpoint.job({ input }).id$);
    made.until(1_000);
    subscription.unsubscribe();
    made.until(100_000);
    expect(asked(made)).toEqual({ run: 1 });
    expect(fate(made)).toMatchObject({ status: 'COMPLETED' });
  });

  test('unsubscribing and subscribing again in the same turn does not release the job', () => {
    const made = world({ latency: 200 });
    const job = made.endpoint.job({ input }, { every: 1_000 });
    let { subscription } = made.see(job.state$);
    for (let ms = 0; ms < 20_000; ms += 50) {
      made.at(ms, () => {
        subscription.unsubscribe();
        ({ subscription } = made.see(job.state$));
      });
    }
    made.until(19_900);
    const last = made.see(job.output$);
    made.until(100_000);
    expect(last.values).toEqual([{ echo: input }]);
    expect(asked(made)).toMatchObject({ run: 1 });
    expect(asked(made)).not.toHaveProperty('cancel');
  });

  test('never happens within the call that unsubscribes', () => {
    const made = world();
    const job = made.endpoint.job({ input });
    made.see(job.output$).subscription.unsubscribe();
    expect(asked(made)).not.toHaveProperty('cancel');
    made.until(0);
    expect(asked(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test.each<[string, Record<string, number>, string]>([
    // The release takes a turn, and the request is sent in this one.
    ['submitting', { run: 1, cancel: 1 }, 'CANCELLED'],
    ['submitted', { run: 1, cancel: 1 }, 'CANCELLED'],
    ['state', { run: 1, cancel: 1 }, 'CANCELLED'],
    ['ended', { run: 1 }, 'COMPLETED'],
  ])('by unsubscribing within next, at %s', (type, requests, end) => {
    for (const latency of [0, 200]) {
      const made = world({ latency });
      const types: string[] = [];
      made.see(
        made.endpoint.job({ input }).events$.pipe(
          map((event) => event.type),
          tap((one) => types.push(one)),
          takeWhile((one) => one !== type),
        ),
      );
      made.until(100_000);
      expect(types.at(-1)).toBe(type);
      const { status, ...others } = asked(made);
      expect(others).toEqual(requests);
      if (latency) expect(!!status).toBe(type === 'ended');
      expect(made.emulator.jobs().map((job) => job.status)).toEqual([end]);
    }
  });
});

describe('grace', () => {
  const graceful = (grace: number, options: JobOptions = {}) => {
    const made = world({ latency: 200 });
    const job = made.endpoint.job({ input: { ms: 60_000 } }, { grace, ...options });
    const first = made.see(job.state$);
    made.at(5_000, () => {
      first.subscription.unsubscribe();
    });
    return { ...made, job };
  };

  test.each<[number, string[]]>([
    [0, ['5000-5200 cancel 200']],
    [5_000, ['10000-10200 cancel 200']],
  ])('of %i ms: the job is cancelled when the grace is over', (grace, cancels) => {
    const made = graceful(grace);
    made.until(100_000);
    expect(made.wire('cancel')).toEqual(cancels);
    // There are no subscribers meanwhile.
    expect(made.emulator.requests().filter(({ at, operation }) => operation === 'status' && at > 5_000)).toEqual([]);
  });

  test('a subscriber within the grace goes on with the job, and a full grace begins at the next unsubscribing', () => {
    const made = graceful(5_000);
    let again!: Seen<unknown>;
    made.at(9_999, () => {
      again = made.see(made.job.state$);
    });
    made.at(12_000, () => {
      again.subscription.unsubscribe();
    });
    made.until(16_999);
    expect(asked(made)).not.toHaveProperty('cancel');
    made.until(100_000);
    expect(made.wire('cancel')).toEqual(['17000-17200 cancel 200']);
    expect(asked(made)).toMatchObject({ run: 1 });
  });

  test('a subscriber within the grace that stays gets the output', () => {
    const made = graceful(5_000);
    let again!: Seen<unknown>;
    made.at(8_000, () => {
      again = made.see(made.job.output$);
    });
    made.until(100_000);
    expect(again.values).toHaveLength(1);
    expect(asked(made)).toMatchObject({ run: 1 });
    expect(asked(made)).not.toHaveProperty('cancel');
  });

  test('id$ within the grace does not keep the job', () => {
    const made = graceful(5_000);
    made.at(8_000, () => {
      made.see(made.job.id$);
    });
    made.until(100_000);
    expect(made.wire('cancel')).toEqual(['10000-10200 cancel 200']);
  });

  test('of a job with the policy detach: nothing happens after it', () => {
    const made = graceful(5_000, { onUnsubscribe: 'detach' });
    made.until(100_000);
    expect(asked(made)).not.toHaveProperty('cancel');
    expect(fate(made)).toMatchObject({ status: 'COMPLETED' });
  });

  test('S5 while the submission is on its way: a subscriber within the grace misses nothing', () => {
    const made = world({ latency: 2_000 });
    const job = made.endpoint.job({ input }, { grace: 5_000 });
    const { subscription } = made.see(job.output$);
    made.at(500, () => {
      subscription.unsubscribe();
    });
    let again!: Seen<unknown>;
    made.at(1_000, () => {
      again = made.see(job.output$);
    });
    made.until(100_000);
    expect(again.values).toEqual([{ echo: input }]);
    expect(asked(made)).toMatchObject({ run: 1 });
    expect(asked(made)).not.toHaveProperty('cancel');
  });
});

describe('its signal', () => {
  test('aborted already: nothing is sent, and every view errors', () => {
    const made = world();
    const job = made.endpoint.job({ input }, { signal: AbortSignal.abort('never mind') });
    const views = look(made, job, 'id$', ...owning);
    for (const seen of Object.values(views)) expect(seen.ended).toBeUndefined();
    made.until(100_000);
    for (const seen of Object.values(views))
      expect(seen.error).toMatchObject({ name: 'AbortError', code: 'aborted', accepted: 'no', cause: 'never mind' });
    expect(asked(made)).toEqual({});
    expect(settled(made)).toEqual(nothing);
  });

  test('aborted before it was sent: the error says that the service does not have it', () => {
    const made = world({ latency: 2_000 }, { limits: { run: { concurrent: 1 } } });
    made.see(made.endpoint.run({ input }));
    const controller = new AbortController();
    const seen = made.see(made.endpoint.job({ input }, { signal: controller.signal }).output$);
    made.at(500, () => {
      controller.abort('enough');
    });
    made.until(10_000);
    expect(seen.error).toMatchObject({ name: 'AbortError', cause: 'enough', accepted: 'no' });
  });

  test('aborted while it is on its way: the error says that the service may have it', () => {
    const made = world({ latency: 2_000 });
    const controller = new AbortController();
    const seen = made.see(made.endpoint.job({ input }, { signal: controller.signal }).output$);
    made.at(500, () => {
      controller.abort('enough');
    });
    made.until(10_000);
    expect(seen.error).toMatchObject({ name: 'AbortError', accepted: 'unknown' });
  });

  test('aborted while it runs: all views error with AbortedError, which names the job', () => {
    const made = world({ latency: 200 });
    const controller = new AbortController();
    const job = made.endpoint.job({ input }, { signal: controller.signal, tag: 'mine' });
    const views = look(made, job, ...owning);
    made.at(5_000, () => {
      controller.abort('enough');
    });
    made.until(100_000);
    for (const seen of Object.values(views))
      expect(seen.error).toMatchObject({ name: 'AbortError', jobId: fate(made).id, cause: 'enough', tag: 'mine' });
    expect(asked(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('aborted without subscribers changes nothing', () => {
    const made = world({ latency: 200 });
    const controller = new AbortController();
    const job = made.endpoint.job({ input }, { signal: controller.signal });
    made.see(job.id$);
    made.until(1_000);
    controller.abort();
    made.until(100_000);
    expect(asked(made)).toEqual({ run: 1 });
  });

  test('aborted after the end changes nothing', () => {
    const made = world({ latency: 200 });
    const controller = new AbortController();
    const job = made.endpoint.job({ input }, { signal: controller.signal });
    const first = made.see(job.output$);
    made.until(100_000);
    controller.abort();
    const late = made.see(job.output$);
    made.until(200_000);
    expect([first.values, late.values]).toEqual([[{ echo: input }], [{ echo: input }]]);
    expect(asked(made)).not.toHaveProperty('cancel');
  });

  test('has no listener left once the last view has unsubscribed', () => {
    const made = world({ latency: 200 });
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    Object.assign(signal, {
      addEventListener: (...given: Parameters<typeof add>) => {
        listeners++;
        add(...given);
      },
      removeEventListener: (...given: Parameters<typeof remove>) => {
        listeners--;
        remove(...given);
      },
    });
    made.see(made.endpoint.job({ input }, { signal }).output$);
    made.until(10_000);
    expect(listeners).toBe(1);
    made.until(100_000);
    expect(listeners).toBe(0);
  });
});

describe('S4 a failed read does not release the job', () => {
  const failing = (bad: Answer, until: number, options: JobOptions = {}) => {
    const made = script(({ operation }) => {
      const now = made.scheduler.now();
      if (operation === 'run') return { body: queued, after: 100 };
      if (operation === 'cancel') return { body: { ...queued, status: 'CANCELLED' } };
      if (now < until) return bad;
      return { body: { ...queued, status: 'COMPLETED', output: 'worth it' }, after: 100 };
    });
    return { ...made, job: made.endpoint.job({ input }, { tag: 'mine', ...options }) };
  };

  test.each<[string, Answer, string]>([
    ['an outage', { status: 503 }, 'http'],
    ['a network that is away', { phase: 'connect' }, 'connection'],
    ['no answer', 'never', 'request_timeout'],
    ['a key that is refused', { status: 401 }, 'authentication'],
    ['an endpoint that is gone', { status: 404, body: { detail: 'endpoint not found' } }, 'not_found'],
    ['answers that make no sense', { body: 'what?' }, 'response'],
  ])('%s: all views error with the reference, and the next subscription goes on', (_, bad, code) => {
    const made = failing(bad, 1_000_000, { outage: 60_000 });
    const views = look(made, made.job, 'events$', 'state$', 'progress$', 'output$');
    made.until(900_000);
    for (const { error } of Object.values(views)) {
      expect(error).toMatchObject({ code, jobId: 'job-1', tag: 'mine' });
      expect(error).toMatchObject({ ref: { v: 1, endpointId: 'demo', id: 'job-1', submittedAt: 100, tag: 'mine' } });
    }
    const before = asked(made);
    expect(before).not.toHaveProperty('cancel');
    expectSilence(made, 50_000);
    made.until(1_000_000);
    const again = made.see(made.job.output$);
    const elsewhere = made.see(made.endpoint.attach((views.output$.error as { ref: never }).ref).output$);
    made.until(1_100_000);
    expect(again.values).toEqual(['worth it']);
    expect(elsewhere.values).toEqual(['worth it']);
    expect(asked(made)).toMatchObject({ run: 1 });
    expect(asked(made)).not.toHaveProperty('cancel');
    expect(settled(made)).toEqual(nothing);
  });

  test('an outage shorter than allowed does not show', () => {
    const made = failing({ status: 503 }, 50_000, { outage: 60_000 });
    const seen = made.see(made.job.output$);
    made.until(200_000);
    expect(seen.values).toEqual(['worth it']);
  });

  test('unsubscribing during an outage releases the job', () => {
    const made = failing({ status: 503 }, 1_000_000);
    const { subscription } = made.see(made.job.output$);
    made.at(20_000, () => {
      subscription.unsubscribe();
    });
    made.until(200_000);
    expect(asked(made)).toMatchObject({ run: 1, cancel: 1 });
    expect(settled(made)).toEqual({ ...nothing, cancelled: ['job-1'] });
  });

  test('unsubscribing between a failed read and its error releases the job', () => {
    const made = failing({ status: 401 }, 1_000_000);
    made.see(made.job.output$);
    made.until(10_000);
    // The read fails within subscribe, and its error comes later.
    made.see(made.job.output$).subscription.unsubscribe();
    made.until(20_000);
    expect(asked(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('subscribing again after the error, and then unsubscribing, releases the job', () => {
    const made = failing({ status: 503 }, 1_000_000, { outage: 5_000 });
    made.see(made.job.output$);
    made.until(50_000);
    expect(asked(made)).not.toHaveProperty('cancel');
    const { subscription } = made.see(made.job.output$);
    made.until(51_000);
    subscription.unsubscribe();
    made.until(100_000);
    expect(asked(made)).toMatchObject({ run: 1, cancel: 1 });
  });
});

describe('cancel()', () => {
  /** A job one moment into a stage of its life, and the effect of cancel(): the requests, and how the views end. */
  const stages: Record<string, (made: World) => { job: Job; seen: Seen<unknown> }> = {
    'waits for budget': (made) => {
      made.see(made.endpoint.run({ input: { ms: 1 } }));
      const job = made.endpoint.job({ input });
      const seen = made.see(job.output$);
      made.until(100);
      return { job, seen };
    },
    'is in beforeSubmit': (made) => {
      const beforeSubmit: JobOptions['beforeSubmit'] = (request) => of(request).pipe(delay(1_000, made.scheduler));
      const job = made.endpoint.job({ input }, { beforeSubmit });
      const seen = made.see(job.output$);
      made.until(100);
      return { job, seen };
    },
    'was never looked at': (made) => {
      const job = made.endpoint.job({ input });
      return { job, seen: made.see(NEVER) };
    },
    'is on its way': (made) => {
      const job = made.endpoint.job({ input });
      const seen = made.see(job.output$);
      made.until(100);
      return { job, seen };
    },
    runs: (made) => {
      const job = made.endpoint.job({ input });
      const seen = made.see(job.output$);
      made.until(5_000);
      return { job, seen };
    },
    'is over': (made) => {
      const job = made.endpoint.job({ input });
      const seen = made.see(job.output$);
      made.until(60_000);
      return { job, seen };
    },
  };
  const limited = () => world({ latency: 200 }, { limits: { run: { concurrent: 1 } } });

  test.each(['waits for budget', 'is in beforeSubmit', 'was never looked at'])(
    'S5 of a job that %s: it is never sent, and views and report error',
    (stage) => {
      const made = limited();
      const { job, seen } = stages[stage]!(made);
      const others = asked(made);
      const report = made.see(job.cancel());
      const again = made.see(job.cancel());
      made.until(100_000);
      const late = look(made, job, 'id$', ...owning);
      made.until(200_000);
      const views = [report, again, ...Object.values(late), ...(stage === 'was never looked at' ? [] : [seen])];
      for (const { values, error } of views) {
        expect(values).toEqual([]);
        expect(error).toMatchObject({ code: 'aborted', accepted: 'no' });
      }
      expect(asked(made)).toEqual(others);
      expect(settled(made)).toEqual(nothing);
    },
  );

  test.each<[string, string[]]>([
    // The cancel needs the id first.
    ['is on its way', ['200-400 cancel 200']],
    ['runs', ['5000-5200 cancel 200']],
  ])('of a job that %s: it is cancelled once, and views and reports show it', (stage, cancels) => {
    const made = limited();
    const { job, seen } = stages[stage]!(made);
    const state = made.see(job.state$);
    const report = made.see(job.cancel());
    const again = made.see(job.cancel());
    made.until(100_000);
    expect(made.wire('cancel')).toEqual(cancels);
    expect(report).toMatchObject({ values: [{ status: 'CANCELLED', id: fate(made).id }] });
    expect(again.values).toEqual(report.values);
    expect(report.ended).toBeDefined();
    expect(statuses(state).at(-1)).toBe('CANCELLED');
    expect(state.ended).toBeDefined();
    expect(seen.error).toMatchObject({ code: 'job_cancelled', jobId: fate(made).id });
    expect(asked(made)).toMatchObject({ run: 1 });
    expect(settled(made)).toEqual({ ...nothing, cancelled: [fate(made).id] });
    expectSilence(made);
  });

  test('of a job that is queued: it never runs', () => {
    const made = world(single);
    busy(made);
    const job = made.endpoint.job({ input }, { onUnsubscribe: 'detach' });
    const seen = made.see(job.output$);
    made.until(5_000);
    made.see(job.cancel());
    made.until(100_000);
    expect(fate(made)).toMatchObject({ status: 'CANCELLED', runs: [], cancelRequests: 1 });
    expect(seen.error).toMatchObject({ code: 'job_cancelled' });
  });

  test('of a job that is over: nothing is sent, and the report has its last snapshot', () => {
    const made = limited();
    const { job, seen } = stages['is over']!(made);
    const before = asked(made);
    const report = made.see(job.cancel());
    made.until(100_000);
    expect(report).toMatchObject({ values: [{ status: 'COMPLETED', output: { echo: input } }], ended: 60_000 });
    expect(seen.values).toEqual([{ echo: input }]);
    expect(asked(made)).toEqual(before);
  });

  test('that comes too late: views and report have the output', () => {
    const made = world({ latency: 2_000 });
    const job = made.endpoint.job({ input: { ms: 500 } });
    const seen = made.see(job.output$);
    made.until(2_100);
    const report = made.see(job.cancel());
    made.until(100_000);
    expect(report.values).toMatchObject([{ status: 'COMPLETED' }]);
    expect(seen.values).toEqual([{ echo: { ms: 500 } }]);
    expect(fate(made)).toMatchObject({ status: 'COMPLETED' });
  });

  test('acts at the call, without a subscription to its report', () => {
    const made = limited();
    const { job } = stages.runs!(made);
    job.cancel();
    expect(made.emulator.requests().at(-1)).toMatchObject({ operation: 'cancel', at: 5_000 });
    made.until(100_000);
    expect(asked(made)).toMatchObject({ cancel: 1 });
  });

  test('unsubscribing from the report, and from all views, changes nothing', () => {
    const made = limited();
    const { job, seen } = stages.runs!(made);
    made.see(job.cancel()).subscription.unsubscribe();
    seen.subscription.unsubscribe();
    made.until(100_000);
    expect(made.wire('cancel')).toEqual(['5000-5200 cancel 200']);
    expect(settled(made)).toEqual({ ...nothing, cancelled: [fate(made).id] });
  });

  test('after the job was released sends nothing new, and reports the outcome', () => {
    const made = limited();
    const { job, seen } = stages.runs!(made);
    seen.subscription.unsubscribe();
    made.until(5_100);
    const report = made.see(job.cancel());
    made.until(100_000);
    expect(asked(made)).toMatchObject({ cancel: 1 });
    expect(report.values).toMatchObject([{ status: 'CANCELLED' }]);
  });

  test.each(['cancel', 'cancel-if-queued', 'detach'] as const)('acts whatever onUnsubscribe says: %s', (policy) => {
    const made = world({ latency: 200 });
    const job = made.endpoint.job({ input }, { onUnsubscribe: policy });
    made.see(job.output$);
    made.until(5_000);
    made.see(job.cancel());
    made.until(100_000);
    expect(made.wire('cancel')).toEqual(['5000-5200 cancel 200']);
  });

  test('has no effect on another job', () => {
    const made = world({ latency: 200 });
    const jobs = [1, 2, 3].map(() => made.endpoint.job({ input }));
    const seen = jobs.map((job) => made.see(job.output$));
    made.until(5_000);
    made.see(jobs[1]!.cancel());
    made.until(100_000);
    expect(made.emulator.jobs().map(({ status }) => status)).toEqual(['COMPLETED', 'CANCELLED', 'COMPLETED']);
    expect(seen.map(({ values }) => values.length)).toEqual([1, 0, 1]);
  });
});

describe('S6 close()', () => {
  const close = (made: World) => {
    const report = made.see(made.client.close());
    return report;
  };
  const ids = ({ values: [report] }: Seen<SettleReport>) =>
    report && {
      cancelled: report.cancelled.map(({ id }) => id),
      finished: report.finished.map(({ id }) => id),
      abandoned: report.abandoned.map(({ id }) => id),
      lost: report.lost.map(({ operation }) => operation),
    };

  test.each<[LeavePolicy, number]>([
    ['cancel', 1],
    ['cancel-if-queued', 0],
    ['detach', 0],
  ])('while jobs run, with %s: their views error, and this many are cancelled: %i', (onUnsubscribe, n) => {
    const made = world({ latency: 200 });
    const views = look(made, made.endpoint.job({ input }, { onUnsubscribe }), ...owning);
    made.until(5_000);
    const report = close(made);
    made.until(100_000);
    for (const { error, ended } of Object.values(views)) {
      expect(error).toMatchObject({ code: 'client_closed', ref: { id: fate(made).id } });
      expect(ended).toBe(5_000);
    }
    expect(asked(made).cancel ?? 0).toBe(n);
    expect(ids(report)).toEqual({ ...nothing, ...(n && { cancelled: [fate(made).id] }) });
    expectSilence(made);
  });

  test('while the submission is on its way: it is read to its end, and the job cancelled', () => {
    const made = world({ latency: 2_000 });
    const seen = made.see(made.endpoint.job({ input }).output$);
    made.until(500);
    const report = close(made);
    made.until(1_000);
    expect(seen.error).toMatchObject({ code: 'client_closed' });
    expect(report.values).toEqual([]);
    made.until(100_000);
    expect(made.wire()).toEqual(['0-2000 run 200', '2000-4000 cancel 200']);
    expect(ids(report)).toEqual({ ...nothing, cancelled: [fate(made).id] });
  });

  test('while a job waits for budget, or in beforeSubmit: it is never sent', () => {
    const made = world({ latency: 2_000 }, { limits: { run: { concurrent: 1 } } });
    made.see(made.endpoint.run({ input }));
    const beforeSubmit: JobOptions['beforeSubmit'] = (request) => of(request).pipe(delay(1_000, made.scheduler));
    const waiting = [{}, { beforeSubmit }].map((options) => made.see(made.endpoint.job({ input }, options).output$));
    made.until(500);
    close(made);
    made.until(100_000);
    for (const { error } of waiting) expect(error).toMatchObject({ code: 'client_closed' });
    // The job of endpoint.run was on its way, and is cancelled.
    expect(asked(made)).toEqual({ run: 1, cancel: 1 });
  });

  test('during a grace: ends the grace at once', () => {
    const made = world({ latency: 200 });
    const { subscription } = made.see(made.endpoint.job({ input: { ms: 600_000 } }, { grace: 300_000 }).output$);
    made.until(5_000);
    subscription.unsubscribe();
    made.until(10_000);
    const report = close(made);
    made.until(20_000);
    expect(made.wire('cancel')).toEqual(['10000-10200 cancel 200']);
    expect(ids(report)).toEqual({ ...nothing, cancelled: [fate(made).id] });
  });

  test('just after a job was released: its cancel is waited for', () => {
    const made = world({ latency: 200 });
    const { subscription } = made.see(made.endpoint.job({ input }).output$);
    made.until(5_000);
    subscription.unsubscribe();
    const report = close(made);
    made.until(100_000);
    expect(ids(report)).toEqual({ ...nothing, cancelled: [fate(made).id] });
    expect(asked(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('of a job that is over: sends nothing', () => {
    const made = world({ latency: 200 });
    const job = made.endpoint.job({ input });
    made.see(job.output$);
    made.until(60_000);
    const report = close(made);
    made.until(100_000);
    expect(ids(report)).toEqual(nothing);
    expect(made.see(job.output$).values).toEqual([{ echo: input }]);
    expect(asked(made)).not.toHaveProperty('cancel');
  });

  test('afterwards a job cannot be started', () => {
    const made = world({ latency: 200 });
    const job = made.endpoint.job({ input });
    close(made);
    const views = look(made, job, 'id$', ...owning);
    made.until(100_000);
    for (const { error } of Object.values(views)) expect(error).toMatchObject({ code: 'client_closed' });
    expect(asked(made)).toEqual({});
  });

  test('has no effect on a detached job', () => {
    const made = world({ latency: 200 });
    const job = made.endpoint.job({ input });
    const seen = made.see(job.output$);
    made.until(5_000);
    const ref = made.see(job.detach());
    const report = close(made);
    made.until(100_000);
    expect(seen).toMatchObject({ values: [], ended: 5_000 });
    expect(seen.error).toBeUndefined();
    expect(ref.values).toMatchObject([{ v: 1, endpointId: 'demo', id: fate(made).id }]);
    expect(asked(made)).not.toHaveProperty('cancel');
    expect(ids(report)).toEqual(nothing);
    expect(fate(made)).toMatchObject({ status: 'COMPLETED' });
  });
});

test('S7 a cancel that came too late: the end is read once', () => {
  const made = world({ latency: 5_000 });
  const { subscription } = made.see(made.endpoint.job({ input: { ms: 0 } }).output$);
  made.until(1_000);
  subscription.unsubscribe();
  made.until(600_000);
  expect(made.wire()).toEqual(['0-5000 run 200', '5000-10000 cancel 200', '10000-15000 status 200']);
});
