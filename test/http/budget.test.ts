import { NEVER, Observable, Subject, config, defer, of, timer } from 'rxjs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createRunpod } from 'runpod-rx';
import type { Budget, BudgetedRequests, Lease, OperationLimits } from 'runpod-rx';
import { BudgetPart } from '../../src/http/BudgetPart.js';
import { RateLimiter } from '../../src/http/RateLimiter.js';
import { clock, world } from '../support/world.js';

const lease = (requests: number, concurrent = requests, until = Infinity): Lease => ({
  requests,
  concurrent,
  until,
  obtainable: { requests: 2 * requests, concurrent: 2 * concurrent },
});

/** A budget that gives what a test says, and shows what it is asked. */
function scriptedBudget() {
  const lease$ = new Subject<Lease>();
  const asked: { endpointId: string; operation: string; requests: BudgetedRequests; held: number }[] = [];
  const budget: Budget = {
    acquire: (endpointId, operation, requests) => {
      const one = { endpointId, operation, requests, held: 0 };
      asked.push(one);
      return new Observable((subscriber) => {
        one.held++;
        subscriber.add(() => one.held--);
        subscriber.add(lease$.subscribe(subscriber));
      });
    },
  };
  return { budget, lease$, asked };
}

/** A limiter of one operation with a part of a budget, on a virtual clock. The log says when a request was sent. */
function limited(limits: OperationLimits, operation = 'run', given: Budget = scriptedBudget().budget) {
  const { scheduler, at, until } = clock();
  const limiter = new RateLimiter(
    limits,
    scheduler,
    () => 0,
    (use) => new BudgetPart(given, 'demo', operation, scheduler, use),
  );
  const log: string[] = [];
  const send = (name: string, takes?: number) =>
    limiter
      .run(
        defer(() => {
          log.push(`${scheduler.now()} ${name}`);
          if (takes === undefined) return NEVER;
          return takes ? timer(takes, scheduler) : of(0);
        }),
        { urgent: false, onWait: () => undefined },
      )
      .subscribe();
  return { limiter, scheduler, at, until, log, send, timers: () => scheduler.actions.map(({ delay }) => delay) };
}

function leased(limits: OperationLimits, operation?: string) {
  const { budget, lease$, asked } = scriptedBudget();
  const made = limited(limits, operation, budget);
  return { ...made, lease$, asked: asked[0]! };
}

afterEach(() => {
  config.onUnhandledError = null;
});

describe('S38 a limiter with a budget', () => {
  test('sends nothing before the first lease, and then as much as it allows', () => {
    const { log, lease$, at, send, until } = leased({ requests: 10, concurrent: 10 });
    for (const name of ['a', 'b', 'c']) send(name);
    at(500, () => {
      lease$.next(lease(2));
    });
    until(30_000);
    expect(log).toEqual(['500 a', '500 b']);
  });

  test('sends more when the part becomes larger', () => {
    const { log, lease$, at, send, until } = leased({ requests: 10, concurrent: 10 });
    for (const name of ['a', 'b', 'c']) send(name);
    lease$.next(lease(1));
    at(700, () => {
      lease$.next(lease(3, 2));
    });
    until(30_000);
    expect(log).toEqual(['0 a', '700 b']);
  });

  test('sends no more when the part becomes smaller, until enough requests no longer count', () => {
    const { log, lease$, at, send, until } = leased({ requests: 10, per: 1_000 });
    send('a');
    lease$.next(lease(5));
    at(100, () => send('b', 0));
    at(200, () => send('c', 0));
    at(300, () => {
      lease$.next(lease(2));
      send('d');
    });
    until(30_000);
    expect(log).toEqual(['0 a', '100 b', '200 c', '1201 d']);
  });

  test('sends nothing while the part is nothing', () => {
    const { log, lease$, send, timers, until } = leased({ requests: 10 });
    send('a');
    lease$.next(lease(0));
    until(60_000);
    expect(log).toEqual([]);
    expect(timers()).toEqual([]);
  });

  test('sends never more than its own limits, whatever the lease says', () => {
    const { log, lease$, send, until } = leased({ requests: 2, concurrent: 1 });
    for (const name of ['a', 'b', 'c']) send(name, 0);
    lease$.next(lease(100));
    until(100);
    expect(log).toEqual(['0 a', '0 b']);
  });

  test('sends nothing after the end of the lease, however late a renewal is', () => {
    const { log, lease$, at, send, until } = leased({ requests: 10 });
    send('a');
    lease$.next(lease(5, 5, 1_000));
    at(1_000, () => send('b'));
    at(1_001, () => send('c'));
    at(7_000, () => {
      lease$.next(lease(5, 5, 8_000));
    });
    until(30_000);
    expect(log).toEqual(['0 a', '1000 b', '7000 c']);
  });

  test('slows down within its part after a 429', () => {
    const { limiter, log, lease$, send, until } = leased({ requests: 100 });
    limiter.slowDown(0);
    for (let nth = 0; nth < 20; nth++) send('a');
    lease$.next(lease(10));
    until(0);
    expect(log).toHaveLength(7);
  });

  test('holds a part while requests are in flight or wait, and gives it back when there are none', () => {
    const { asked, lease$, at, send, timers, until } = leased({ requests: 10, per: 1_000 });
    expect(asked.held).toBe(0);
    send('a', 500);
    const waiting = send('b');
    expect(asked.held).toBe(1);
    lease$.next(lease(1));
    until(499);
    expect(asked.held).toBe(1);
    at(600, () => {
      expect(asked.held).toBe(1);
      waiting.unsubscribe();
    });
    until(600);
    expect(asked.held).toBe(0);
    expect(timers()).toEqual([]);
  });

  test('asks once, and again when there are requests again', () => {
    const { asked, lease$, send, log, until } = leased({ requests: 10 });
    send('a').unsubscribe();
    expect(asked.held).toBe(0);
    send('b');
    send('c');
    expect(asked.held).toBe(1);
    // What was leased before is forgotten.
    expect(log).toEqual([]);
    lease$.next(lease(2));
    until(0);
    expect(log).toEqual(['0 b', '0 c']);
  });

  test('does not go by a lease of before, when it has requests again', () => {
    const { lease$, send, log, until } = leased({ requests: 10 });
    send('a', 0);
    lease$.next(lease(2));
    until(0);
    send('b');
    expect(log).toEqual(['0 a']);
  });

  test('sends at once what a lease allows that is given at once', () => {
    const { log, send } = limited({ requests: 10 }, 'run', { acquire: () => of(lease(1)) });
    send('a');
    expect(log).toEqual(['0 a']);
  });

  test('tells what it uses, and when a request waits', () => {
    const { asked, lease$, limiter, at, send, until } = leased({ requests: 10, per: 1_000, concurrent: 4 });
    const waits = vi.fn();
    asked.requests.waits$.subscribe(waits);
    const limits = { limit: { requests: 10, concurrent: 4 }, per: 1_000 };
    expect(asked.requests.use()).toEqual({ ...limits, counted: 0, inFlight: 0, waiting: 0 });
    send('a', 0);
    send('b');
    expect(waits).toHaveBeenCalledTimes(2);
    expect(asked.requests.use()).toEqual({ ...limits, counted: 0, inFlight: 0, waiting: 2 });
    lease$.next(lease(3));
    until(0);
    send('c');
    expect(waits).toHaveBeenCalledTimes(2);
    send('d');
    expect(waits).toHaveBeenCalledTimes(3);
    expect(asked.requests.use()).toEqual({ ...limits, counted: 3, inFlight: 2, waiting: 1 });
    // A callback stands for as many requests again.
    limiter.freePlaces(() => undefined);
    expect(waits).toHaveBeenCalledTimes(4);
    expect(asked.requests.use().waiting).toBe(1 + 4);
    at(1_001, () => {
      // `d` was sent in place of `a`.
      expect(asked.requests.use()).toMatchObject({ counted: 3, inFlight: 3 });
    });
    until(1_001);
  });

  test('has no bound that its limits do not have', () => {
    const { asked } = leased({ concurrent: 4 });
    expect(asked.requests.use().limit).toEqual({ requests: Infinity, concurrent: 4 });
  });

  test('plans with what it could get', () => {
    const { limiter, lease$, send } = leased({ requests: 100, per: 1_000, concurrent: 20 });
    expect([limiter.rate, limiter.concurrent]).toEqual([100 / 1_000, 20]);
    send('a');
    lease$.next(lease(10, 4));
    expect([limiter.rate, limiter.concurrent]).toEqual([20 / 1_000, 8]);
  });

  test('a callback for a free place holds a part, and is called when there is one', () => {
    const { limiter, log, lease$, asked, scheduler, at, until } = leased({ requests: 10 });
    const wake = vi.fn(() => {
      log.push(`${scheduler.now()} wake`);
    });
    expect(limiter.freePlaces()).toBe(0);
    expect(asked.held).toBe(0);
    expect(limiter.freePlaces(wake)).toBe(0);
    expect(asked.held).toBe(1);
    at(300, () => {
      lease$.next(lease(1));
      // Not within the lease: whoever gave the callback may be at work.
      expect(wake).not.toHaveBeenCalled();
    });
    until(10_000);
    expect(log).toEqual(['300 wake']);
    expect(asked.held).toBe(0);
  });

  test('a callback that is forgotten gives the part back', () => {
    const { limiter, asked } = leased({ requests: 10 });
    const wake = () => undefined;
    limiter.freePlaces(wake);
    limiter.stopWaiting(wake);
    expect(asked.held).toBe(0);
  });

  test('goes by its own limits where the budget errors, and says so', () => {
    const unhandled = vi.fn();
    config.onUnhandledError = unhandled;
    const { log, lease$, send, until } = leased({ requests: 2 });
    for (const name of ['a', 'b', 'c']) send(name);
    lease$.error('broken');
    until(0);
    expect(log).toEqual(['0 a', '0 b']);
    expect(unhandled).toHaveBeenCalledWith('broken');
  });
});

describe('S39 cancels with a budget', () => {
  test('go at once, within the limits, where no lease comes', () => {
    const { log, send } = leased({ requests: 2, concurrent: 2 }, 'cancel');
    for (const name of ['a', 'b', 'c']) send(name);
    expect(log).toEqual(['0 a', '0 b']);
  });

  test('keep to the last lease after its end', () => {
    const { log, lease$, at, send, until } = leased({ requests: 10 }, 'cancel');
    send('a');
    lease$.next(lease(2, 2, 1_000));
    at(5_000, () => {
      send('b');
      send('c');
    });
    until(30_000);
    expect(log).toEqual(['0 a', '5000 b']);
  });
});

describe('S38 the option limits', () => {
  test('divides the documented limits, for each operation of each endpoint', () => {
    const { budget, lease$, asked } = scriptedBudget();
    const { client, see, until, wire } = world({}, { limits: { budget } });
    see(client.endpoint('demo').run({ input: { ms: 0 } }));
    see(client.endpoint('demo').run({ input: { ms: 1 } }));
    see(client.endpoint('demo').status('unknown'));
    see(client.endpoint('demo').health());
    until(100);
    expect(asked.map(({ endpointId, operation }) => `${endpointId} ${operation}`)).toEqual([
      'demo status',
      'demo status-sync',
      'demo run',
    ]);
    expect(asked[2]!.requests.use()).toMatchObject({ limit: { requests: 1_000, concurrent: 200 }, per: 10_000 });
    expect(wire('run', 'status')).toEqual([]);
    lease$.next(lease(1));
    until(200);
    expect(wire('run')).toHaveLength(1);
  });

  test('divides limits of your own', () => {
    const { budget, asked } = scriptedBudget();
    const { endpoint, see } = world({}, { limits: { budget, limits: { run: { requests: 7 } } } });
    see(endpoint.run({ input: { ms: 0 } }));
    see(endpoint.status('unknown'));
    expect(asked.map(({ operation }) => operation)).toEqual(['run']);
    expect(asked[0]!.requests.use().limit).toEqual({ requests: 7, concurrent: Infinity });
  });

  test.each<[unknown, RegExp]>([
    [{ budget: {} }, /limits\.budget is .*a budget, with a function acquire/],
    [{ budget: undefined }, /limits\.budget/],
    [{ acquire: () => NEVER }, /limits is an object: it must be an object that has the budget: \{ budget \}/],
    [{ budget: { acquire: () => NEVER }, limit: 1 }, /limits\.limit is a number: it is unknown: did you mean limits\?/],
    [{ budget: { acquire: () => NEVER }, limits: 'none' }, /limits\.limits is none: it must be 'documented'/],
    [{ budget: { acquire: () => NEVER }, limits: { run: { requests: 0 } } }, /limits\.limits\.run\.requests is 0/],
  ])('refuses %o', (limits, message) => {
    expect(() => createRunpod({ transport: () => NEVER, limits: limits as never })).toThrow(message);
  });
});
