import { NEVER, Subject, config } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BudgetPart } from '../../src/http/BudgetPart.js';
import { RateLimiter } from '../../src/http/RateLimiter.js';
import type { BudgetUse, BudgetedRequests, Lease } from '../../src/types/Budget.js';
import type { OperationLimits } from '../../src/types/Limits.js';
import { clock } from '../support/world.js';

const reported: unknown[] = [];

beforeEach(() => {
  reported.length = 0;
  config.onUnhandledError = (error) => reported.push(error);
});

afterEach(() => {
  config.onUnhandledError = null;
});

const nothing = { requests: 0, concurrent: 0 };
const everything = { requests: Infinity, concurrent: Infinity };
const lease: Lease = { requests: 3, concurrent: 2, until: 1_000, obtainable: { requests: 30, concurrent: 20 } };
const use: BudgetUse = {
  limit: { requests: 100, concurrent: 50 },
  per: 10_000,
  counted: 0,
  inFlight: 0,
  waiting: 0,
};

/** The part of a budget of which the test is the engine. */
function held(operation: string) {
  const time = clock();
  const engine = new Subject<Lease>();
  const acquire = vi.fn((_endpointId: string, _operation: string, _requests: BudgetedRequests) => engine);
  const part = new BudgetPart({ acquire }, 'demo', operation, time.scheduler, () => use);
  const onChange = vi.fn();
  return { ...time, engine, acquire, part, onChange };
}

describe('S38 a part of a budget', () => {
  test('is asked for once, by its endpoint and operation', () => {
    const { acquire, part, scheduler } = held('status');
    expect(acquire.mock.calls).toEqual([['demo', 'status', part]]);
    expect(part.use()).toBe(use);
    expect(part.scheduler).toBe(scheduler);
  });

  test.each([
    ['run', nothing],
    ['cancel', everything],
  ])('allows %s so much before the first lease, and after it was given back', (operation, before) => {
    const { engine, part, onChange } = held(operation);
    expect(part.allowed).toEqual(before);
    part.hold(onChange);
    expect(part.allowed).toEqual(before);
    engine.next(lease);
    expect(part.allowed).toEqual(lease);
    part.release();
    expect(part.allowed).toEqual(before);
    expect(part.obtainable).toEqual(everything);
    expect(engine.observed).toBe(false);
  });

  test.each([
    ['run', nothing],
    ['cancel', lease],
  ])('allows %s so much after its lease', (operation, after) => {
    const { engine, part, onChange, until } = held(operation);
    part.hold(onChange);
    engine.next(lease);
    until(1_000);
    expect(part.allowed).toEqual(lease);
    until(1_001);
    expect(part.allowed).toEqual(after);
  });

  test('says what could be had, as far as the engine has said it', () => {
    const { engine, part, onChange } = held('run');
    part.hold(onChange);
    expect(part.obtainable).toEqual(everything);
    engine.next(lease);
    expect(part.obtainable).toEqual(lease.obtainable);
  });

  test('is held once, and tells of each change', () => {
    const { engine, part, onChange } = held('run');
    part.hold(onChange);
    engine.next(lease);
    part.hold(onChange);
    engine.next({ ...lease, requests: 4 });
    expect(onChange).toHaveBeenCalledTimes(2);
    expect(part.allowed.requests).toBe(4);
    part.release();
    part.hold(onChange);
    expect(engine.observed).toBe(true);
  });

  test.each(['run', 'cancel'])('that failed allows %s everything, and says why', (operation) => {
    const { engine, part, onChange } = held(operation);
    part.hold(onChange);
    engine.next(lease);
    const error = new Error('no engine');
    engine.error(error);
    expect(reported).toEqual([error]);
    expect(part.allowed).toEqual(everything);
    expect(part.obtainable).toEqual(everything);
    expect(onChange).toHaveBeenCalledTimes(2);
  });
});

/** A limiter whose budget the test is, and what the limiter tells it. */
function limited(limits: OperationLimits) {
  const time = clock();
  const engine = new Subject<Lease>();
  const budget = { acquire: () => engine };
  let part!: BudgetPart;
  const limiter = new RateLimiter(
    limits,
    time.scheduler,
    () => 0,
    (told) => {
      part = new BudgetPart(budget, 'demo', 'run', time.scheduler, told);
      return part;
    },
  );
  const send = () => limiter.run(NEVER, { urgent: false, onWait: () => undefined }).subscribe();
  return { ...time, engine, limiter, part, send };
}

describe('S38 a budget is told', () => {
  test('how many requests are in flight and wait', () => {
    const { engine, part, send } = limited({ requests: 10, per: 1_000 });
    for (let count = 0; count < 5; count++) send();
    expect(part.use()).toMatchObject({ counted: 0, inFlight: 0, waiting: 5 });
    engine.next({ ...lease, until: Infinity });
    expect(part.use()).toMatchObject({ counted: 0, inFlight: 0, waiting: 5 });
  });

  test('that whoever asks for free places waits for as many requests as count already, and one', () => {
    const { engine, limiter, part, send, until } = limited({ requests: 10, per: 1_000 });
    send();
    send();
    engine.next({ requests: 2, concurrent: 2, until: Infinity, obtainable: lease.obtainable });
    until(10);
    expect(part.use()).toMatchObject({ counted: 2, inFlight: 2, waiting: 0 });
    limiter.freePlaces(() => undefined);
    expect(part.use()).toMatchObject({ waiting: 3 });
    send();
    expect(part.use()).toMatchObject({ waiting: 4 });
  });

  test('nothing, where a change comes while no request waits', () => {
    const { engine, scheduler, send, until } = limited({ requests: 10, per: 1_000 });
    send();
    engine.next({ ...lease, until: Infinity });
    until(10);
    engine.next({ ...lease, requests: 5, until: Infinity });
    expect(scheduler.actions).toEqual([]);
  });
});
