import * as fc from 'fast-check';
import { of } from 'rxjs';
import { test } from 'vitest';
import type { WebhookRequest } from 'runpod-rx/testing';
import { toldWebhooks } from '../durable/support.js';
import { ending, queueWorld, type Delivered } from './support.js';

/** How a worker gives a job up, and what the engine knows of that when it delivers the job to the next. */
const ends = fc.constantFrom('kill', 'release', 'lost', 'stall');

const plan = fc.record({
  /** When each worker but the last is gone, in milliseconds after it has got the job, and how. */
  workers: fc.array(fc.record({ after: fc.integer({ min: 0, max: 14_000 }), how: ends }), { maxLength: 5 }),
  /** When the job is cancelled in the queue, if it is. */
  cancelAt: fc.option(fc.integer({ min: 0, max: 40_000 }), { nil: undefined }),
  answerAfter: fc.constantFrom(0, 300, 3_000),
  loses: fc.boolean(),
  webhooks: fc.boolean(),
});

test('S40 S41 S42 whatever happens to workers: one submission at most, and a cancel only of the queue’s, once', () => {
  fc.assert(
    fc.property(plan, ({ workers, cancelAt, answerAfter, loses, webhooks: hasWebhooks }) => {
      const webhooks = toldWebhooks();
      const lost = { fault: 'reset-after', on: 'run', times: 1 } as const;
      const late = { fault: 'slow-answer', on: 'run', after: answerAfter } as const;
      const send = ({ url, body }: WebhookRequest) => {
        const { id } = JSON.parse(body) as { readonly id: string };
        webhooks.jobs.set(new URL(url).searchParams.get('key') ?? '', id);
        return of(200);
      };
      const made = queueWorld(
        { faults: loses ? [lost] : [late], webhooks: { allow: true, send } },
        hasWebhooks ? { webhooks } : {},
      );
      let isCancelled = false;
      let current: Delivered<unknown> | undefined;
      if (cancelAt !== undefined)
        made.at(cancelAt, () => {
          isCancelled = true;
          current?.orders$.next('cancel');
        });
      const deliver = () => made.deliver(isCancelled ? { first: 'cancel' } : {});
      const all: Delivered<unknown>[] = [];
      let at = 0;
      for (const { after, how } of workers) {
        current = deliver();
        all.push(current);
        at += after;
        made.until(at);
        if (current.ended !== undefined) break;
        if (how === 'kill') current.kill();
        // A worker that stalls goes on as if it had the job.
        else if (how !== 'stall') current.orders$.next(how);
        at += 100;
        made.until(at);
      }
      const isOver = all.some((one) => ['COMPLETED', 'cancelled'].includes(ending(one)));
      const last = isOver ? undefined : deliver();
      current = last;
      for (let step = 0; step < 40; step++) {
        at += 5_000;
        made.until(at);
      }
      made.until(at + 2_000_000);

      const runs = made.runs();
      if (runs > 1) throw new Error(`${runs} submissions`);
      if (made.cancels() > (isCancelled ? 1 : 0)) throw new Error(`${made.cancels()} cancels`);
      // Without webhooks, only a lost answer, or a worker that is gone before it, leaves the job unknown.
      const unknown = !hasWebhooks && (loses || all.length > 0);
      const expected = ['COMPLETED', 'cancelled', ...(unknown ? ['!submission_unknown'] : [])];
      if (last && !expected.includes(ending(last))) throw new Error(ending(last));
    }),
    { numRuns: 300 },
  );
});
