import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueQueue, type Due } from '../../src/polling/DueQueue.js';
import { seed } from '../support/seed.js';

const one = (): Due => ({ dueAt: Infinity, turn: 0, place: -1 });

test('gives the entry that is due first, and among equals the one that was set first, while entries are set and removed', () => {
  const act = fc.record({
    who: fc.nat(9),
    at: fc.option(fc.oneof(fc.nat(9), fc.constant(Infinity)), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(act), (acts) => {
      const queue = new DueQueue<Due>();
      const all = Array.from({ length: 10 }, one);
      let model: { who: number; at: number }[] = [];
      for (const { who, at } of acts) {
        const waits = model.some((other) => other.who === who);
        model = model.filter((other) => other.who !== who);
        if (at !== undefined) {
          queue.set(all[who]!, at);
          const place = model.findIndex((other) => other.at > at);
          model.splice(place < 0 ? model.length : place, 0, { who, at });
        } else if (waits) queue.remove(all[who]!);
        expect(queue.length).toBe(model.length);
        expect(queue.first).toBe(model[0] && all[model[0].who]);
        expect(queue.first?.dueAt).toBe(model[0]?.at);
      }
    }),
    { seed, numRuns: 1_000 },
  );
});

test('takes an entry in again after it was removed', () => {
  const queue = new DueQueue<Due>();
  const [a, b] = [one(), one()];
  queue.set(a, 1);
  queue.set(b, 2);
  queue.remove(a);
  expect(queue.first).toBe(b);
  queue.set(a, 1);
  expect(queue.first).toBe(a);
  expect(queue.turns).toBe(3);
});
