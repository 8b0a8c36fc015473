import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueQueue } from '../../src/client/DueQueue.js';
import { seed } from '../support/seed.js';

test('what is due comes first, and those due together as they were added, whatever is added and taken meanwhile', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(9), { nil: undefined, freq: 3 })), (acts) => {
      const queue = new DueQueue<string>();
      const model: { at: number; value: string }[] = [];
      for (const [nth, at] of acts.entries()) {
        if (at === undefined) {
          queue.shift();
          model.shift();
        } else {
          queue.add(at, `${nth}`);
          const place = model.findIndex((one) => one.at > at);
          model.splice(place < 0 ? model.length : place, 0, { at, value: `${nth}` });
        }
        expect(queue.length).toBe(model.length);
        expect(queue.first && { at: queue.first[0], value: queue.first[2] }).toEqual(model[0]);
      }
    }),
    { seed, numRuns: 1_000 },
  );
});

test('cleared, it has nothing', () => {
  const queue = new DueQueue<string>();
  queue.add(1, 'a');
  queue.clear();
  expect([queue.length, queue.first]).toEqual([0, undefined]);
  queue.add(2, 'b');
  expect(queue.first?.[2]).toBe('b');
});
