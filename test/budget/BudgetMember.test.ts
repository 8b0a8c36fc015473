import { NEVER } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { BudgetUse } from 'runpod-rx';
import { BudgetMember } from '../../src/budget/BudgetMember.js';
import type { BudgetTerms } from '../../src/budget/BudgetOptions.js';
import type { LeaseAnswer } from '../../src/budget/LeaseStore.js';
import { clock } from '../support/world.js';

const LEASE = 900;

/** A member of which the test decides what it uses, and what the store answers. */
function memberOf({ cancels = false, ...terms }: Partial<BudgetTerms> & { cancels?: boolean } = {}) {
  const { scheduler, until } = clock();
  let use: BudgetUse = {
    limit: { requests: 100, concurrent: 20 },
    per: 10_000,
    counted: 0,
    inFlight: 0,
    waiting: 0,
  };
  const requests = { scheduler, waits$: NEVER, use: () => use };
  const member = new BudgetMember(requests, { name: 'test', lease: LEASE, offlineShare: 0.1, ...terms }, cancels);
  return {
    member,
    until,
    uses: (change: Partial<BudgetUse>) => {
      use = { ...use, ...change };
    },
    /** Has the member report, and the store answer at once, by default with what the member is to have. */
    exchange: (change: Partial<LeaseAnswer> = {}) => {
      const report = member.report();
      const answer = { granted: report.target, limit: report.limit, wanted: {}, now: 0, ...change };
      member.accept(answer, scheduler.now());
      return report;
    },
    miss: (reportedAt = scheduler.now()) => {
      member.report();
      member.miss(reportedAt);
    },
  };
}

describe('S38 what a member may use', () => {
  test('is nothing before the first answer, but for cancels', () => {
    const { member } = memberOf();
    member.prepare();
    expect(member.lease).toBeUndefined();
    const { member: canceller } = memberOf({ cancels: true });
    canceller.prepare();
    expect(canceller.lease).toMatchObject({ requests: 2, concurrent: 1, obtainable: { requests: 2, concurrent: 1 } });
  });

  test('lasts as long as the lease from the report on, and the whole of what it wants is held to be obtainable', () => {
    const { member, uses, exchange, until } = memberOf();
    until(100);
    uses({ waiting: 8 });
    exchange();
    // Eight, a tenth more, and two.
    expect(member.lease).toMatchObject({ requests: 11, concurrent: 11, until: 100 + LEASE });
    expect(member.lease?.obtainable).toEqual({ requests: 100, concurrent: 20 });
  });

  test('has no bound where the limit has none, of which the store knows nothing', () => {
    const { member, uses, exchange } = memberOf();
    uses({ limit: { requests: 100, concurrent: Infinity }, counted: 3, inFlight: 3 });
    const report = exchange();
    expect(report).toMatchObject({
      limit: { requests: 100, concurrent: 0 },
      held: { requests: 3, concurrent: 0 },
      wanted: { requests: 6, concurrent: 0 },
    });
    expect(member.lease?.concurrent).toBe(Infinity);
    expect(member.lease?.obtainable.concurrent).toBe(Infinity);
  });

  test('is shared with those that want something, and not with those that only hold something', () => {
    const { member, uses, exchange } = memberOf();
    uses({ waiting: 8 });
    // The part that it wants, and half of what nobody wants.
    exchange({ granted: { requests: 100, concurrent: 20 } });
    expect(member.lease?.requests).toBe(11 + Math.floor((100 - 11) / 2));
    exchange({ granted: { requests: 100, concurrent: 20 }, wanted: { gone: { requests: 0, concurrent: 0 } } });
    expect(member.lease?.requests).toBe(11 + Math.floor((100 - 11) / 2));
    exchange({ granted: { requests: 100, concurrent: 20 }, wanted: { other: { requests: 11, concurrent: 1 } } });
    expect(member.lease?.requests).toBe(11 + Math.floor((100 - 22) / 2 / 2));
  });

  test('leaves a part of the cancels to those that begin', () => {
    const { member, uses, exchange } = memberOf({ cancels: true });
    uses({ waiting: 100 });
    exchange({ granted: { requests: 100, concurrent: 20 } });
    // Two requests for each of eight; and a fifth of what may be in flight, which is less than eight.
    expect(member.lease).toMatchObject({ requests: 100 - 16, concurrent: 20 - 4 });
  });
});

describe('S38 what a member wants', () => {
  test('follows the most that was in flight or waited lately, which fades', () => {
    const { uses, exchange } = memberOf();
    uses({ inFlight: 4, waiting: 6 });
    expect(exchange().wanted.concurrent).toBe(13);
    uses({ inFlight: 0, waiting: 0 });
    expect([exchange(), exchange(), exchange()].map(({ wanted }) => wanted.concurrent)).toEqual([12, 11, 11]);
  });

  test('is a tenth more than what counts and waits, and never more than there is', () => {
    const { uses, exchange } = memberOf();
    uses({ counted: 10, waiting: 10 });
    expect(exchange().wanted.requests).toBe(24);
    uses({ counted: 95 });
    expect(exchange().wanted.requests).toBe(100);
  });
});

describe('S38 the next report of a member', () => {
  test('is due after a third of the lease', () => {
    const { member, exchange } = memberOf();
    expect(member.pause).toBe(LEASE / 3);
    exchange();
    expect(member.pause).toBe(LEASE / 3);
  });

  test('is due earlier after one without an answer, and while it has less than its part', () => {
    const { member, uses, exchange, miss } = memberOf();
    uses({ waiting: 8 });
    exchange({ granted: { requests: 5, concurrent: 11 } });
    expect(member.pause).toBe(LEASE / 9);
    exchange();
    miss();
    expect(member.pause).toBe(LEASE / 9);
  });

  test('is not due earlier any more, once the store is given up for a while', () => {
    const { member, miss } = memberOf();
    miss();
    expect(member.lease?.until).toBe(Infinity);
    expect(member.pause).toBe(LEASE / 3);
  });

  test('hurries where more is wanted than was reported, and more is to be had', () => {
    const { member, uses, exchange } = memberOf();
    expect(member.hurries).toBe(false);
    exchange();
    expect(member.hurries).toBe(false);
    uses({ waiting: 8 });
    expect(member.hurries).toBe(true);
    exchange({ granted: { requests: 100, concurrent: 20 }, limit: { requests: 11, concurrent: 11 } });
    uses({ waiting: 9 });
    expect(member.hurries).toBe(false);
  });

  test('does not hurry before the first answer, or while the store is away', () => {
    const { member, uses, miss } = memberOf({ cancels: true });
    member.prepare();
    uses({ waiting: 50 });
    expect(member.hurries).toBe(false);
    miss();
    uses({ waiting: 80 });
    expect(member.hurries).toBe(false);
  });
});

describe('S38 a member without the store', () => {
  test('goes on by its lease, and then by its share of what it had', () => {
    const { member, uses, exchange, miss, until } = memberOf();
    uses({ waiting: 50 });
    exchange();
    until(LEASE);
    miss();
    expect(member.lease).toMatchObject({ until: LEASE });
    until(LEASE + 1);
    miss();
    expect(member.lease).toMatchObject({ requests: 10, concurrent: 2, until: Infinity });
  });

  test.each([
    [false, 0.1, { requests: 1, concurrent: 1 }],
    [false, 0, { requests: 0, concurrent: 0 }],
    [true, 0, { requests: 1, concurrent: 1 }],
  ])('has at least one request, where it has any share (cancels: %s, share: %d)', (cancels, offlineShare, share) => {
    const { member, uses, miss } = memberOf({ cancels, offlineShare });
    uses({ limit: { requests: 5, concurrent: 5 } });
    miss();
    expect(member.lease).toMatchObject(share);
  });

  test('does not go by its share where the process was stopped: the answer may be there, unread', () => {
    const { member, miss, until } = memberOf();
    until(LEASE + 1);
    miss(0);
    expect(member.lease).toBeUndefined();
    const other = memberOf();
    other.until(LEASE);
    other.miss(0);
    expect(other.member.lease?.until).toBe(Infinity);
  });

  test('that comes back after it has left waits for the store anew', () => {
    const { member, uses, exchange, miss } = memberOf();
    uses({ counted: 7, inFlight: 2 });
    exchange();
    expect(member.farewell()).toMatchObject({
      held: { requests: 7, concurrent: 2 },
      wanted: { requests: 0, concurrent: 0 },
      target: { requests: 0, concurrent: 0 },
      keep: 10_000,
    });
    expect(member.lease).toBeUndefined();
    miss();
    expect(member.lease).toMatchObject({ requests: 10, concurrent: 2 });
  });

  test('says that it has reported once it has', () => {
    const { member, exchange } = memberOf();
    expect(member.hasReported).toBe(false);
    exchange();
    expect(member.hasReported).toBe(true);
  });
});
