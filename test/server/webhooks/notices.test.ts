import { describe, expect, test } from 'vitest';
import { KeptNotices } from '../../../src/server/webhooks/KeptNotices.js';
import { clock } from '../../support/world.js';
import { ended, receiver, toldBy } from './support.js';

describe('notices', () => {
  test('give the ends of the last two minutes to who comes later, and no hints', async () => {
    const made = receiver();
    const later = () =>
      made.see(made.webhooks.notices).values.map((notice) => (toldBy(notice).job as { id: string }).id);
    await made.post(made.urlOf('a'), ended('job-a'));
    await made.post(made.urlOf('a'), ended('hint'));
    made.until(60_000);
    await made.post(made.urlOf('b'), ended('job-b'));
    made.until(120_000);
    expect(later()).toEqual(['job-a', 'job-b']);
    made.until(120_001);
    expect(later()).toEqual(['job-b']);
    made.until(1_000_000);
    expect(later()).toEqual([]);
  });

  const keeping = () => {
    const { scheduler, see } = clock();
    const kept = new KeptNotices(scheduler);
    const end = (id: string, bytes: number) => {
      kept.end(id, { id, notice: { id, bytes }, bytes });
    };
    const idsOf = (values: readonly unknown[]) => values.map((one) => (one as { id: string }).id);
    return { kept, see, end, later: () => idsOf(see(kept.notices$).values) };
  };

  test('keep the newest thousand', () => {
    const { end, later } = keeping();
    for (let nth = 0; nth <= 1_000; nth++) end(`job-${nth}`, 1);
    expect(later()).toHaveLength(1_000);
    expect(later()[0]).toBe('job-1');
  });

  test('keep 64 MiB, and tell also of what is larger', () => {
    const { kept, see, end, later } = keeping();
    const MiB = 1024 * 1024;
    const live = see(kept.notices$).values;
    for (const id of ['a', 'b', 'c', 'd']) end(id, 20 * MiB);
    expect(later()).toEqual(['b', 'c', 'd']);
    end('e', 65 * MiB);
    expect(later()).toEqual(['b', 'c', 'd']);
    end('f', 64 * MiB);
    expect(later()).toEqual(['f']);
    expect(live).toHaveLength(6);
  });

  test('are told no more to who has left', async () => {
    const made = receiver();
    const left = made.see(made.webhooks.notices);
    left.subscription.unsubscribe();
    await made.post(made.urlOf('a'), ended('job-a'));
    expect(left.values).toEqual([]);
    expect(made.told()).toHaveLength(1);
  });
});
