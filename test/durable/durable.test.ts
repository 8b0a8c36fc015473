import { NEVER, firstValueFrom, map, of, throwError, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createRunpod, failover, runAll, runEach, runpod } from 'runpod-rx';
import { durable, memoryStore, type JobRow, type JobStore } from 'runpod-rx/durable';
import { order, rowsOf, service, shown, toldWebhooks, type Order } from './support.js';

const broken = new Error('the disk is full');

describe('S36 durable', () => {
  test('what has ended is given again, and nothing is sent', async () => {
    const made = service();
    const first = made.process().run([order('a'), order('b')]);
    made.until(30_000);
    expect(shown(first)).toEqual(['a', 'b']);
    const again = made.process().run([order('a'), order('b'), order('c')]);
    made.until(60_000);
    expect(shown(again)).toEqual(['a', 'b', 'c']);
    expect(again.values[0]).toMatchObject({ output: { echo: { id: 'a' } }, snapshot: { status: 'COMPLETED' } });
    expect(made.runs()).toBe(3);
    expect(await made.rows()).toMatchObject([
      { key: 'a', state: 'ended', generation: 1, ref: { endpointId: 'demo', tag: 'a' } },
      { key: 'b', state: 'ended' },
      { key: 'c', state: 'ended' },
    ]);
  });

  test('a job that FAILED has ended: it is given again, and run again where that is asked', () => {
    let fails = true;
    const handler = () => {
      if (fails) throw new Error('a bug');
      return 'fine';
    };
    const made = service({ endpoints: { demo: { handler } } });
    made.process().run([order('a')]);
    made.until(10_000);
    const again = made.process().run([order('a')]);
    made.until(20_000);
    expect(shown(again)).toEqual(['a!job_failed']);
    expect(made.runs()).toBe(1);
    fails = false;
    const asked: JobRow[] = [];
    const runAgain = (row: JobRow) => {
      asked.push(row);
      return true;
    };
    const mended = made.process({ runAgain }).run([order('a')]);
    made.until(30_000);
    expect(shown(mended)).toEqual(['a']);
    expect(asked).toMatchObject([{ key: 'a', end: { job: { status: 'FAILED' } } }]);
    expect(made.runs()).toBe(2);
  });

  test('a retry of the pipeline submits a job that FAILED again', async () => {
    let runs = 0;
    const handler = () => {
      runs++;
      if (runs === 1) throw new Error('once');
      return 'fine';
    };
    const made = service({ endpoints: { demo: { handler } } });
    const seen = made.process().run([order('a')], { retry: { count: 1, on: () => true } });
    made.until(60_000);
    expect(shown(seen)).toEqual(['a']);
    expect(await made.rows()).toMatchObject([{ generation: 2, state: 'ended' }]);
  });

  test('what was submitted is attached to', () => {
    const made = service();
    const first = made.process({ job: { onUnsubscribe: 'detach' } }).run([order('a')]);
    made.until(3_000);
    first.subscription.unsubscribe();
    made.until(4_000);
    const second = made.process().run([order('a')]);
    made.until(60_000);
    expect(shown(second)).toEqual(['a']);
    expect(made.runs()).toBe(1);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'COMPLETED', cancelRequests: 0 }]);
  });

  test.each(['unsubscribing', 'close()'] as const)(
    'a job that this side has cancelled by %s is run again',
    async (how) => {
      const made = service();
      const { client, jobs, run } = made.process();
      const first = run([order('a')]);
      made.until(3_000);
      if (how === 'close()') made.see(client.close());
      else first.subscription.unsubscribe();
      const settled = made.see(jobs.settled());
      expect(settled.ended).toBeUndefined();
      made.until(8_000);
      expect(settled.ended).toBeDefined();
      expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
      expect(await made.rows()).toEqual([
        { key: 'a', fingerprint: expect.any(String) as string, state: 'wanted', generation: 2 },
      ]);
      const second = made.process().run([order('a')]);
      made.until(60_000);
      expect(shown(second)).toEqual(['a']);
      expect(made.runs()).toBe(2);
    },
  );

  describe('after detachOnLeave', () => {
    test('settled waits for the id of a job that is detached always, too', async () => {
      const made = service({ latency: 400 });
      const { jobs, run } = made.process({ job: { onUnsubscribe: 'detach' } });
      const first = run([order('a')]);
      made.until(100);
      first.subscription.unsubscribe();
      const settled = made.see(jobs.settled());
      made.until(200);
      expect(settled.ended).toBeUndefined();
      made.until(5_000);
      expect(settled.ended).toBeDefined();
      expect(await made.rows()).toMatchObject([{ state: 'submitted' }]);
    });

    test.each([
      ['a job that runs goes on', 3_000, 1],
      ['a job that is being sent goes on, and has its id in the store', 600, 1],
      ['a job that was not sent yet is withdrawn', 100, 0],
    ])('%s', async (_, at, submitted) => {
      const made = service({ latency: 400 });
      const { jobs, run } = made.process({
        job: { beforeSubmit: (request) => timer(500, made.scheduler).pipe(map(() => request)) },
      });
      const first = run([order('a')]);
      made.until(at);
      jobs.detachOnLeave();
      first.subscription.unsubscribe();
      const settled = made.see(jobs.settled());
      made.until(5_000);
      expect(settled.ended).toBeDefined();
      expect((await made.rows()).map(({ state }) => state)).toEqual(submitted ? ['submitted'] : []);
      const second = made.process().run([order('a')]);
      made.until(60_000);
      expect(shown(second)).toEqual(['a']);
      expect(made.emulator.jobs()).toMatchObject([{ status: 'COMPLETED', cancelRequests: 0 }]);
    });

    test.each([false, true])(
      'a job that is refused while it is detached is wanted again (always: %s)',
      async (always) => {
        const made = service({
          latency: 400,
          faults: [{ fault: 'answer', status: 401, body: {}, on: ['run'], times: 1 }],
        });
        const { jobs, run } = made.process(always ? { job: { onUnsubscribe: 'detach' } } : {});
        const first = run([order('a')]);
        made.until(100);
        expect((await made.rows()).map(({ state }) => state)).toEqual(['sending']);
        if (!always) jobs.detachOnLeave();
        first.subscription.unsubscribe();
        const settled = made.see(jobs.settled());
        made.until(5_000);
        expect(settled.ended).toBeDefined();
        expect((await made.rows()).map(({ state }) => state)).toEqual(['wanted']);
      },
    );
  });

  describe('run again at once, while the cancel of the job before is not confirmed', () => {
    test.each([
      ['left while it was sent', 150, {}, 'the same durable'],
      ['left while it was sent', 150, { ambiguous: 'resubmit' }, 'another durable'],
      ['left while it ran, and the answer to the cancel is lost', 3_000, {}, 'the same durable'],
      ['left while it ran, and the answer to the cancel is lost', 3_000, {}, 'another durable'],
    ] as const)('%s (at %i, %j, %s): its row is never wanted while a job runs', async (_, at, options, which) => {
      const made = service({ latency: 200, faults: [{ fault: 'reset-after', on: ['cancel'], times: 2 }] });
      const store = { ...made.store };
      const first = made.process({ store, ...options });
      const second = which === 'the same durable' ? first : made.process({ store, ...options });
      const left = first.run([order('a')]);
      made.until(at);
      left.subscription.unsubscribe();
      const again = second.run([order('a')]);
      for (let now = at; now < at + 30_000; now += 50) {
        made.until(now);
        const jobs = made.emulator.jobs();
        const running = jobs.filter(({ status }) => status === 'IN_PROGRESS').length;
        expect(running, `at ${now}`).toBeLessThan(2);
        const [row] = await made.rows();
        if (running > 0) expect(row, `at ${now}`).not.toMatchObject({ state: 'wanted' });
      }
      expect(shown(again)).toEqual(['a']);
      expect(made.runs()).toBe(2);
    });
  });

  test('two durables of one store do not run one key at once', () => {
    const made = service();
    const store = { ...made.store };
    const seen = [made.process({ store }).run([order('a')]), made.process({ store }).run([order('a')])];
    made.until(30_000);
    expect(seen.flatMap(shown).sort()).toEqual(['a', 'a!configuration']);
    expect(made.runs()).toBe(1);
  });

  test('a retry of one pipeline is none of another', () => {
    const made = service({
      endpoints: {
        demo: () => {
          throw new Error('a bug');
        },
      },
    });
    const store = { ...made.store };
    const first = made.process({ store });
    const waiting = first.run([order('a')], { retry: { count: 9, delay: 60_000, on: () => true } });
    made.until(10_000);
    waiting.subscription.unsubscribe();
    const again = made.process({ store }).run([order('a')]);
    made.until(20_000);
    expect(shown(again)).toEqual(['a!job_failed']);
    expect(made.runs()).toBe(1);
  });

  test.each([
    ['that was left', { retry: { count: 9, delay: 60_000, on: () => true } }],
    ['whose commit failed', { commit: () => throwError(() => broken) }],
  ])('a retry of one pipeline is none of the next with the same runner: one %s', (_name, options) => {
    const made = service({ endpoints: { demo: { handler: () => throwError(() => new Error('a bug')) } } });
    const { run } = made.process();
    const requests = [order('a')];
    const first = run(requests, options);
    made.until(10_000);
    first.subscription.unsubscribe();
    const again = run(requests);
    made.until(20_000);
    expect(shown(again)).toEqual(['a!job_failed']);
    expect(made.runs()).toBe(1);
  });

  test('also where the process ended before the cancel was confirmed', async () => {
    const made = service();
    made.process().run([order('a')]);
    made.until(3_000);
    // The process wrote that it was about to cancel the job, cancelled it, and was gone.
    const [row] = await made.rows();
    await made.store.put({ ...row!, leaving: true });
    const { id } = row!.ref!;
    made.see(made.client.endpoint('demo').cancel(id));
    made.until(4_000);
    await made.store.put({ ...row!, leaving: true });
    const second = made.process().run([order('a')]);
    made.until(60_000);
    expect(shown(second)).toEqual(['a']);
  });

  test('a job that somebody else has cancelled has ended', () => {
    const made = service();
    const seen = made.process().run([order('a')]);
    made.until(3_000);
    made.see(made.client.endpoint('demo').cancel(made.emulator.jobs()[0]!.id));
    made.until(30_000);
    const again = made.process().run([order('a')]);
    made.until(60_000);
    expect([shown(seen), shown(again)]).toEqual([['a!job_cancelled'], ['a!job_cancelled']]);
    expect(made.runs()).toBe(1);
  });

  test('a job that completed before its cancel keeps its result', async () => {
    const made = service({ endpoints: { demo: { handler: () => 'fine' } } });
    const first = made.process({ job: { every: 60_000 } }).run([order('a')]);
    made.until(500);
    first.subscription.unsubscribe();
    made.until(10_000);
    expect(await made.rows()).toMatchObject([
      { state: 'ended', end: { job: { status: 'COMPLETED', output: 'fine' } } },
    ]);
  });

  test('S20 another input under an old key is an error, and nothing is sent', () => {
    const made = service();
    made.process().run([order('a')]);
    made.until(30_000);
    const again = made.process().run([order('a', 9_999), { input: { ms: 10_000, id: 'a' } }], { concurrency: 1 });
    made.until(60_000);
    // The order of the members makes no other input.
    expect(shown(again)).toEqual(['a!configuration', 'a']);
    expect(again.values[0]).toMatchObject({ error: { accepted: 'no', message: /belongs to another input/ } });
    expect(made.runs()).toBe(1);
  });

  test('two inputs of one key do not run at once', () => {
    const made = service();
    const seen = made.process().run([order('a'), order('a')]);
    made.until(30_000);
    expect(shown(seen).sort()).toEqual(['a', 'a!configuration']);
    expect(made.runs()).toBe(1);
  });

  test.each([
    ['nothing', undefined],
    ['no text', ''],
    ['a long text', 'x'.repeat(201)],
  ])('a key that is %s is an error of its input', (_, key) => {
    const made = service();
    const seen = made.process({ key: () => key as string }).run([order('a')]);
    made.until(1_000);
    expect(shown(seen)).toEqual(['a!configuration']);
  });

  test('results that were committed are skipped where that is asked, and others are not', async () => {
    const made = service();
    const stored: string[] = [];
    const commit = (item: { readonly request: { readonly input: { readonly id: string } } }) => {
      const { id } = item.request.input;
      if (id === 'b') return throwError(() => broken);
      stored.push(id);
      return of(1);
    };
    made.process({ ended: 'skip' }).run([order('a'), order('b')], { commit });
    made.until(30_000);
    expect(stored).toEqual(['a']);
    expect(await made.rows()).toMatchObject([{ key: 'a', committed: true }, { key: 'b' }]);
    const again = made.process({ ended: 'skip' }).run([order('a'), order('b'), order('c')], { commit: () => [] });
    made.until(60_000);
    expect(shown(again)).toEqual(['b', 'c']);
    const third = made.process({ ended: 'skip' }).run([order('a'), order('b'), order('c')]);
    made.until(70_000);
    expect([shown(third), third.ended]).toEqual([[], expect.any(Number)]);
    expect(made.runs()).toBe(3);
  });

  test('results that were committed are skipped within failover, too, and no other runner runs them', () => {
    const made = service();
    const there = made.client.endpoint<Order>('demo');
    const run = () => {
      const { jobs } = made.process({ ended: 'skip' });
      return made.see(runAll(failover([jobs, there], { on: () => true }), [order('a')], { commit: () => [] }));
    };
    const first = run();
    made.until(30_000);
    const again = run();
    made.until(60_000);
    expect([shown(first), shown(again), again.ended, made.runs()]).toEqual([['a'], [], expect.any(Number), 1]);
  });

  test('results that nobody has stored are not skipped', () => {
    const made = service();
    const requests = [order('a', 60_000), order('b', 1_000)];
    const first = made.process({ ended: 'skip' }).run(requests, { order: 'input' });
    made.until(10_000);
    first.subscription.unsubscribe();
    expect(shown(first)).toEqual([]);
    const again = made.process({ ended: 'skip' }).run(requests);
    made.until(120_000);
    expect(shown(again).sort()).toEqual(['a', 'b']);
  });

  test('a pipeline that was refused the key commits no result of the other', () => {
    const made = service();
    const { run } = made.process({ ended: 'skip' });
    const requests = [order('a')];
    run(requests, { commit: () => NEVER });
    const refused = run(requests, { commit: () => timer(20_000, made.scheduler) });
    made.until(30_000);
    expect(shown(refused)).toEqual(['a!configuration']);
    const again = made.process({ ended: 'skip' }).run([order('a')]);
    made.until(40_000);
    expect(shown(again)).toEqual(['a']);
  });

  test('another input under its key commits no result', () => {
    const made = service();
    const lost = { commit: () => throwError(() => broken) };
    made.process({ ended: 'skip' }).run([order('a')], lost);
    made.until(30_000);
    const other = made.process({ ended: 'skip' }).run([order('a', 5)]);
    made.until(40_000);
    expect(shown(other)).toEqual(['a!configuration']);
    const again = made.process({ ended: 'skip' }).run([order('a')]);
    made.until(50_000);
    expect(shown(again)).toEqual(['a']);
  });

  test('runs for each request of an Observable, too', () => {
    const made = service();
    const { jobs } = made.process();
    const seen = made.see(of(order('a'), order('b')).pipe(runEach(jobs, { scheduler: made.scheduler })));
    made.until(30_000);
    expect(shown(seen)).toEqual(['a', 'b']);
  });

  test('a result that the service has deleted is named, and not run again', async () => {
    const made = service();
    made
      .process({ job: { onUnsubscribe: 'detach' } })
      .run([order('a')])
      .subscription.unsubscribe();
    const first = made.process({ job: { onUnsubscribe: 'detach' } }).run([order('a')]);
    made.until(3_000);
    first.subscription.unsubscribe();
    made.until(31 * 60_000);
    const second = made.process().run([order('a')]);
    made.until(32 * 60_000);
    const third = made.process().run([order('a')]);
    made.until(33 * 60_000);
    expect(shown(second)[0]).toMatch(/^a!job_(expired|not_found)$/);
    expect(shown(third)).toEqual(['a!job_expired']);
    expect(await made.rows()).toMatchObject([{ state: 'ended', end: { lost: 'gone' } }]);
    expect(made.runs()).toBe(1);
  });

  test('a job that cannot be read for long goes on, also when the client is closed, and is attached to', async () => {
    const made = service();
    let isOut = false;
    const client = createRunpod({
      transport: (request) =>
        isOut
          ? throwError(() => Object.assign(new Error('down'), { phase: 'connect' }))
          : made.emulator.transport(request),
      scheduler: made.scheduler,
      apiKey: 'key',
      random: () => 0.5,
    });
    const jobs = durable(client.endpoint<Order>('demo'), {
      key: ({ input }) => input.id,
      scheduler: made.scheduler,
      store: { ...made.store },
    });
    const first = made.see(runAll(jobs, [order('a', 500_000)], { scheduler: made.scheduler }));
    made.until(10_000);
    isOut = true;
    made.until(400_000);
    expect(shown(first)).toEqual(['a!connection']);
    isOut = false;
    const closed = made.see(client.close());
    made.until(420_000);
    expect(closed.values).toEqual([{ cancelled: [], finished: [], abandoned: [], lost: [] }]);
    expect(await made.rows()).toMatchObject([{ state: 'submitted' }]);
    const second = made.process().run([order('a', 500_000)]);
    made.until(900_000);
    expect(shown(second)).toEqual(['a']);
    expect(made.runs()).toBe(1);
  });

  test('a deadline of the job is its end', async () => {
    const made = service();
    const seen = made.process({ job: { timeout: 5_000 } }).run([order('a', 60_000)]);
    made.until(30_000);
    const again = made.process().run([order('a', 60_000)]);
    made.until(40_000);
    expect([shown(seen), shown(again)]).toEqual([['a!job_deadline'], ['a!job_deadline']]);
    expect(await made.rows()).toMatchObject([{ state: 'ended', end: { lost: 'deadline' } }]);
  });
});

describe('S36 a submission that is refused', () => {
  test('leaves the row wanted, and is sent at the next start', async () => {
    const faults = { answer: { on: 'run', status: 401, times: 1, body: '{}' } } as const;
    const made = service({ faults });
    const seen = made.process().run([order('a')]);
    made.until(10_000);
    expect(shown(seen)).toEqual(['a!authentication']);
    expect(await made.rows()).toMatchObject([{ state: 'wanted', generation: 1 }]);
    const again = made.process().run([order('a')]);
    made.until(40_000);
    expect(shown(again)).toEqual(['a']);
  });

  test.each(['cancel', 'detach'] as const)('left before it was sent, the row is wanted (%s)', async (onUnsubscribe) => {
    const made = service({ limits: false });
    const store = slowStore(made.store, made);
    const first = made.process({ store, job: { onUnsubscribe } }).run([order('a')]);
    made.until(500);
    first.subscription.unsubscribe();
    made.until(10_000);
    expect(await made.rows()).toMatchObject([{ state: 'wanted' }]);
    expect(made.runs()).toBe(0);
  });
});

/** A store whose writes take a second. */
function slowStore(store: JobStore, { scheduler }: Pick<ReturnType<typeof service>, 'scheduler'>): JobStore {
  return {
    ...store,
    put: (row) =>
      timer(1_000, scheduler).pipe((source) => {
        void store.put(row);
        return source;
      }),
  };
}

describe('S36 a row that was sent, and has no id', () => {
  /** The answer to the first submission is lost. */
  const lossy = { faults: { 'reset-after': { on: 'run', times: 1 } } } as const;

  test.each(['this process', 'another process'] as const)('waits for its webhook, which comes to %s', (where) => {
    const made = service(lossy);
    const webhooks = toldWebhooks();
    const seen = made.process({ webhooks }).run([order('a')]);
    made.until(12_000);
    expect(shown(seen)).toEqual([]);
    const { id } = made.emulator.jobs()[0]!;
    if (where === 'this process') webhooks.resolved$.next({ key: webhooks.signed[0]!, id });
    else webhooks.jobs.set(webhooks.signed[0]!, id);
    made.until(20_000);
    expect(shown(seen)).toEqual(['a']);
    expect(made.runs()).toBe(1);
  });

  test('after a restart, too', async () => {
    const made = service(lossy);
    const webhooks = toldWebhooks();
    const first = made.process({ webhooks }).run([order('a')]);
    made.until(2_000);
    first.subscription.unsubscribe();
    expect(await made.rows()).toMatchObject([{ state: 'sending', sentAt: 0 }]);
    made.until(15_000);
    webhooks.jobs.set(webhooks.signed[0]!, made.emulator.jobs()[0]!.id);
    const second = made.process({ webhooks }).run([order('a')]);
    made.until(20_000);
    expect(shown(second)).toEqual(['a']);
    expect(made.runs()).toBe(1);
  });

  test('fails after grace, stays listed, and is found by a later run', async () => {
    const made = service(lossy);
    const webhooks = toldWebhooks();
    const first = made.process({ webhooks, grace: 60_000 }).run([order('a')]);
    made.until(59_000);
    expect(first.values).toEqual([]);
    made.until(61_000);
    expect(shown(first)).toEqual(['a!submission_unknown']);
    expect(first.values[0]).toMatchObject({ error: { accepted: 'unknown', tag: 'a' } });
    expect(await rowsOf({ ...made.store, rows: () => made.store.rows('sending') })).toMatchObject([{ key: 'a' }]);
    // Its grace is over: it is looked up once.
    const second = made.process({ webhooks, grace: 60_000 }).run([order('a')]);
    made.until(61_500);
    expect(shown(second)).toEqual(['a!submission_unknown']);
    webhooks.jobs.set(webhooks.signed[0]!, made.emulator.jobs()[0]!.id);
    const third = made.process({ webhooks, grace: 60_000 }).run([order('a')]);
    made.until(70_000);
    expect(shown(third)).toEqual(['a']);
    expect(made.runs()).toBe(1);
  });

  test.each([{}, { ambiguous: 'fail' as const }])(
    'fails at once without webhooks, and is never resubmitted unasked (%s)',
    (options) => {
      const made = service(lossy);
      const first = made.process(options).run([order('a')], { retry: { count: 3, on: () => true } });
      made.until(60_000);
      const second = made.process(options).run([order('a')]);
      made.until(90_000);
      expect([shown(first), shown(second)]).toEqual([['a!submission_unknown'], ['a!submission_unknown']]);
      expect(made.runs()).toBe(1);
    },
  );

  test.each([false, true])('is submitted again where that is asked (webhooks: %s)', async (signs) => {
    const made = service(lossy);
    const webhooks = signs ? toldWebhooks() : undefined;
    const seen = made
      .process({ ambiguous: 'resubmit', grace: 30_000, ...(webhooks && { webhooks }) })
      .run([order('a')]);
    made.until(25_000);
    // With webhooks, it waits for its own first.
    expect([made.runs(), shown(seen)]).toEqual(signs ? [1, []] : [2, ['a']]);
    made.until(60_000);
    expect([made.runs(), shown(seen)]).toEqual([2, ['a']]);
    expect(await made.rows()).toMatchObject([{ generation: 2, state: 'ended' }]);
  });

  test('is submitted again three times in a run at most, where each answer is lost', () => {
    const made = service({ faults: { 'reset-after': { on: 'run' } } });
    const first = made.process({ ambiguous: 'resubmit' }).run([order('a')]);
    made.until(60_000);
    expect([made.runs(), shown(first)]).toEqual([4, ['a!submission_unknown']]);
    const second = made.process({ ambiguous: 'resubmit' }).run([order('a')]);
    made.until(120_000);
    expect([made.runs(), shown(second)]).toEqual([7, ['a!submission_unknown']]);
  });

  test('is not taken for the job of a key with the same name in another store', () => {
    const made = service({ faults: { 'reset-after': { on: 'run', nth: 2 } } });
    const webhooks = toldWebhooks();
    made.process({ webhooks }).run([order('a')]);
    made.until(20_000);
    webhooks.jobs.set(webhooks.signed[0]!, made.emulator.jobs()[0]!.id);
    const other = made.process({ webhooks, store: memoryStore() }).run([order('a')]);
    made.until(40_000);
    expect(shown(other)).toEqual([]);
    const { id } = made.emulator.jobs()[1]!;
    webhooks.jobs.set(webhooks.signed[1]!, id);
    made.until(50_000);
    expect(other.values).toMatchObject([{ ok: true, snapshot: { id } }]);
  });

  test('a look-up that fails is made again', () => {
    const made = service(lossy);
    let calls = 0;
    const webhooks = {
      ...toldWebhooks(),
      jobOf: () => {
        calls++;
        if (calls < 4) throw broken;
        return made.emulator.jobs()[0]?.id;
      },
    };
    const seen = made.process({ webhooks }).run([order('a')]);
    made.until(30_000);
    expect(shown(seen)).toEqual(['a']);
  });
});

describe('S36 a store that fails', () => {
  const failing = (store: JobStore, when: (row: JobRow) => boolean): JobStore => ({
    ...store,
    put: (row) => (when(row) ? throwError(() => broken) : store.put(row)),
  });

  test('before the send: nothing is sent', () => {
    const made = service();
    const store = failing(made.store, ({ state }) => state === 'sending');
    const seen = made.process({ store }).run([order('a')], { retry: 3 });
    made.until(60_000);
    expect(seen.values).toMatchObject([{ ok: false, error: { code: 'hook', hook: 'beforeSend', accepted: 'no' } }]);
    expect(made.runs()).toBe(0);
  });

  test('as it does not answer: the item fails after two minutes, with what is known of its job', () => {
    const hanging = (when: (row?: JobRow) => boolean) => {
      const made = service();
      const store: JobStore = {
        ...made.store,
        get: (key) => (when() ? NEVER : made.store.get(key)),
        put: (row) => (when(row) ? NEVER : made.store.put(row)),
      };
      const seen = made.process({ store }).run([order('a')]);
      made.until(300_000);
      return { seen, runs: made.runs() };
    };
    const first = hanging((row) => !row);
    expect(first.seen.values).toMatchObject([{ error: { code: 'hook', hook: 'store', accepted: 'no' } }]);
    const second = hanging((row) => row?.state === 'sending');
    expect(second.seen.values).toMatchObject([{ error: { code: 'hook', hook: 'beforeSend', accepted: 'no' } }]);
    const third = hanging((row) => row?.state === 'ended');
    expect(third.seen.values).toMatchObject([{ error: { hook: 'store' }, snapshot: { status: 'COMPLETED' } }]);
    expect([first.runs, second.runs, third.runs]).toEqual([0, 0, 1]);
  });

  test('after the send: the item has the reference, and the job goes on', async () => {
    const made = service();
    const store = failing(made.store, ({ state }) => state === 'submitted');
    const seen = made.process({ store }).run([order('a')]);
    made.until(60_000);
    const { id } = made.emulator.jobs()[0]!;
    expect(seen.values).toMatchObject([{ ok: false, ref: { id }, error: { code: 'hook', hook: 'afterSubmit' } }]);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'COMPLETED', cancelRequests: 0 }]);
    expect(await made.rows()).toMatchObject([{ state: 'sending' }]);
  });

  test('after the send, and the job that was left could not be cancelled: its row stays ambiguous', async () => {
    const refusal = { fault: 'answer', on: ['cancel'], status: 404, body: { error: 'job not found' } } as const;
    const made = service({ latency: 200, faults: [refusal] });
    const store = failing(made.store, ({ state }) => state === 'submitted');
    const { jobs, run } = made.process({ store });
    const first = run([order('a')]);
    made.until(150);
    first.subscription.unsubscribe();
    const settled = made.see(jobs.settled());
    made.until(900_000);
    expect(settled.ended).toBeDefined();
    expect(made.emulator.jobs()).toMatchObject([{ status: 'COMPLETED' }]);
    expect(await made.rows()).toMatchObject([{ state: 'sending', generation: 1 }]);
  });

  test('at the end: the item has the output, and the next start attaches', () => {
    const made = service();
    const store = failing(made.store, ({ state }) => state === 'ended');
    const seen = made.process({ store }).run([order('a')]);
    made.until(30_000);
    expect(seen.values).toMatchObject([
      { ok: false, error: { code: 'hook', hook: 'store' }, snapshot: { output: { echo: { id: 'a' } } } },
    ]);
    const again = made.process().run([order('a')]);
    made.until(60_000);
    expect(shown(again)).toEqual(['a']);
    expect(made.runs()).toBe(1);
  });

  test('to be read: nothing is sent', () => {
    const made = service();
    const store = { ...made.store, get: () => throwError(() => broken) };
    const seen = made.process({ store }).run([order('a')]);
    made.until(30_000);
    expect(seen.values).toMatchObject([
      { ok: false, error: { code: 'hook', hook: 'store', accepted: 'no', cause: broken } },
    ]);
    expect(made.runs()).toBe(0);
  });
});

describe('S20 durable checks what it is given', () => {
  const endpoint = runpod({ apiKey: 'key' }).endpoint('demo');
  const store = memoryStore();
  const key = () => 'a';

  test.each<[string, unknown[]]>([
    ['store', [endpoint, { key }]],
    ['key', [endpoint, { store }]],
    ['endpoint', [() => of(1), { store, key }]],
    ['ambiguous', [endpoint, { store, key, ambiguous: 'again' }]],
    ['job', [endpoint, { store, key, job: { onUnsubscribe: 'cancel-if-queued' } }]],
    ['graze', [endpoint, { store, key, graze: 1 }]],
  ])('%s', (name, given) => {
    expect(() => durable(...(given as Parameters<typeof durable>))).toThrow(new RegExp(`^${name} is`));
  });

  test('an option of the jobs that is wrong is an error of each input', async () => {
    const jobs = durable(endpoint, { store, key, job: { timeout: -1 } });
    const item = await firstValueFrom(runAll(jobs, [{ input: { x: 1 } }]));
    expect(item).toMatchObject({ ok: false, error: { code: 'validation' } });
  });
});
