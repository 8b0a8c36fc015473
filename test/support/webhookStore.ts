import { randomUUID } from 'node:crypto';
import { firstValueFrom } from 'rxjs';
import { expect } from 'vitest';
import type { WebhookStore } from 'runpod-rx/server';
import { eventually } from '../../src/server/eventually.js';

const HOUR = 3_600_000;

/** What every store of webhooks must do. Both are on the same place, as two processes have it. */
export async function storeKeeps(one: WebhookStore, other: WebhookStore): Promise<void> {
  const name = `test ${randomUUID()} ä "'`;
  const get = async (store: WebhookStore) => (await firstValueFrom(eventually(() => store.get(name)))) ?? undefined;
  const add = async (store: WebhookStore, value: string, keepFor = HOUR) =>
    (await firstValueFrom(eventually(() => store.add(name, value, keepFor)))) ?? undefined;
  const set = (value: string, keepFor = HOUR) => firstValueFrom(eventually(() => one.set(name, value, keepFor)));

  expect(await get(one)).toBeUndefined();
  // Of many at the same moment, one adds, and the others get what it has added.
  const added = await Promise.all(
    Array.from({ length: 20 }, (_, index) => add(index % 2 ? one : other, String(index))),
  );
  const kept = await get(other);
  expect(added.filter((found) => found === undefined)).toHaveLength(1);
  expect(new Set(added)).toEqual(new Set([undefined, kept]));
  await set('new');
  expect(await get(other)).toBe('new');
  expect(await add(other, 'newer')).toBe('new');
  await set('short', 50);
  await expect.poll(() => get(other)).toBeUndefined();
  expect(await add(other, 'again', 50.5)).toBeUndefined();
  await expect.poll(() => get(one)).toBeUndefined();
  await set('last', 60_000);
  expect(await get(one)).toBe('last');
}
