import * as fc from 'fast-check';
import { NEVER, Subscription, mergeMap, of, throwError, timer } from 'rxjs';
import { expect, test } from 'vitest';
import { createRunpod, runAll } from 'runpod-rx';
import { durable, type JobRow, type JobStore } from 'runpod-rx/durable';
import { seed } from '../support/seed.js';
import { order, service, type Order } from './support.js';

/** What happens to a process that runs the input, or to its pipeline. */
const step = fc.record({
  what: fc.constantFrom('leave', 'leave and run', 'leave and run', 'run', 'run', 'detach', 'kill', 'close'),
  /** How long after the step before, in milliseconds. */
  after: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 6_000 })),
});

const plan = fc.record({
  steps: fc.array(step, { minLength: 8, maxLength: 20 }),
  always: fc.constantFrom('cancel' as const, 'cancel' as const, 'detach' as const),
  /** Numbers from 0 to 99 that decide, one after the other, how slow the store is and whether it fails. */
  store: fc.noBias(fc.infiniteStream(fc.nat(99))),
  faults: fc.noBias(fc.nat()),
});

test('S36 whatever happens, a key has one job that was not cancelled, and no row that forgets it', () => {
  fc.assert(
    fc.property(plan, ({ steps, always, store: numbers, faults }) => {
      const made = service({
        latency: 200,
        seed: String(faults),
        faults: [
          { fault: 'reset-after', on: ['run'], probability: 0.1 },
          { fault: 'reset-after', on: ['cancel'], probability: 0.4 },
          { fault: 'empty-429', on: ['run'], probability: 0.2 },
          { fault: 'empty-502', on: ['status', 'status-sync', 'cancel'], probability: 0.1 },
        ],
      });
      const number = () => Number(numbers.next().value);
      const start = () => {
        const process = { isDead: false };
        const client = createRunpod({
          transport: (request) => (process.isDead ? NEVER : made.emulator.transport(request)),
          scheduler: made.scheduler,
          apiKey: 'key',
          random: () => 0.5,
        });
        const put = (row: JobRow) => {
          if (number() < 5) return throwError(() => new Error('the disk is full'));
          const written$ = timer(number() < 30 ? 300 : 0, made.scheduler);
          return written$.pipe(mergeMap(() => (process.isDead ? NEVER : of(made.store.put(row)))));
        };
        const store: JobStore = { ...made.store, put };
        const key = ({ input }: { readonly input: Order }) => input.id;
        const options = { key, store, scheduler: made.scheduler, job: { onUnsubscribe: always } };
        return { process, client, jobs: durable(client.endpoint<Order>('demo'), options) };
      };
      let current = start();
      let pipeline = Subscription.EMPTY;
      let now = 0;
      for (const { what, after } of steps) {
        const end = now + after;
        while (now < end) {
          now = Math.min(end, now + 100);
          made.until(now);
          const live = made.emulator.jobs().filter(({ status }) => status !== 'CANCELLED');
          expect(live.length).toBeLessThan(2);
          if (live.length > 0) expect(made.store.get('a')).not.toMatchObject({ state: 'wanted' });
        }
        const { process, client, jobs } = current;
        if (what === 'detach') jobs.detachOnLeave();
        if (what === 'kill') process.isDead = true;
        if (what === 'close') client.close().subscribe();
        if (what !== 'run') pipeline.unsubscribe();
        if ((what === 'run' || what === 'leave and run') && pipeline.closed)
          pipeline = runAll(jobs, [order('a', 3_000)], { scheduler: made.scheduler, retry: 1 }).subscribe();
        if (what !== 'kill' && what !== 'close') continue;
        // The next process begins when this one is gone.
        now += what === 'close' ? 700_000 : 0;
        made.until(now);
        process.isDead = true;
        current = start();
      }
      current.process.isDead = true;
      pipeline.unsubscribe();
    }),
    { seed, numRuns: 300 },
  );
}, 120_000);
