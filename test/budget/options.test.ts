import { of } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { ConfigurationError } from 'runpod-rx';
import { redisBudget } from 'runpod-rx/bullmq';
import { postgresBudget } from 'runpod-rx/pg-boss';
import type { BudgetOptions } from 'runpod-rx/pg-boss';
import { clock } from '../support/world.js';

const redis = () => ({
  eval: vi.fn<(...given: unknown[]) => Promise<unknown>>(() => Promise.reject(new Error('gone'))),
});
const pool = () => ({ query: vi.fn<(...given: unknown[]) => Promise<never>>(() => Promise.reject(new Error('gone'))) });

const makers: Record<string, (options?: BudgetOptions) => unknown> = {
  redisBudget: (options) => redisBudget(redis(), options),
  postgresBudget: (options) => postgresBudget(pool(), options),
};

/** Requests of which one is in flight. */
function requestsOf({ scheduler }: ReturnType<typeof clock>) {
  const limit = { requests: 10, concurrent: 10 };
  return { scheduler, waits$: of(), use: () => ({ limit, per: 10_000, counted: 1, inFlight: 1, waiting: 0 }) };
}

describe.each(Object.entries(makers))('S38 the options of %s', (name, make) => {
  test.each<[unknown, RegExp]>([
    [{ lease: 100 }, /lease is 100: it must be a number of milliseconds from 300 to 60000/],
    [{ offlineShare: 2 }, /offlineShare is 2: it must be a number from 0 to 1/],
    [{ name: 1 }, /name is 1: it must be text/],
    [{ leases: 1_000 }, /leases is a number: it is unknown: did you mean lease\?/],
  ])('refuses %o', (options, message) => {
    expect(() => make(options as BudgetOptions)).toThrow(ConfigurationError);
    expect(() => make(options as BudgetOptions)).toThrow(message);
  });

  test('may be left out', () => {
    expect(make()).toHaveProperty('acquire');
  });
});

test('S38 a budget refuses what is no client', () => {
  expect(() => redisBudget({} as never)).toThrow(/redis is an object: it must be a client of ioredis/);
  expect(() => postgresBudget({} as never)).toThrow(/pool is an object: it must be a pool of pg/);
});

test('S38 budgets have a place of their own by their names, and for each limit', () => {
  const time = clock();
  const client = redis();
  redisBudget(client, { name: 'mine' }).acquire('my-endpoint', 'run', requestsOf(time)).subscribe();
  time.until(10);
  expect(client.eval).toHaveBeenCalledWith(
    expect.any(String),
    1,
    'runpod-rx:budget:mine',
    'my-endpoint/run',
    expect.stringContaining('"held":{"requests":1,"concurrent":1}'),
  );
});
