import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/protocol/diagnose.js';
import { parseHealth } from '../../src/protocol/health.js';
import type { Diagnosis, DiagnosisFacts } from '../../src/types/Diagnosis.js';
import type { EndpointHealth } from '../../src/types/EndpointHealth.js';
import { healthForms } from '../fixtures/overview.js';
import { job, life } from '../fixtures/snapshots.js';
import { seed } from '../support/seed.js';

const NONE = { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 0, unhealthy: 0 };

/** Health as the service sends it. Counts that are not given are 0; `only` leaves them out. */
function health(workers: Readonly<Record<string, number>>, inQueue = 1): EndpointHealth {
  return read({ jobs: { inQueue }, workers: { ...NONE, ...workers } });
}

function only(workers: Readonly<Record<string, number>>): EndpointHealth {
  return read({ jobs: { inQueue: 1 }, workers });
}

function read(answer: object): EndpointHealth {
  const parsed = parseHealth(JSON.stringify(answer));
  if ('issue' in parsed) throw new Error(parsed.issue);
  return parsed.value;
}

const HOUR = 3_600_000;

describe('diagnose', () => {
  it.each<[string, EndpointHealth | undefined, Diagnosis]>([
    ['a worker is idle', health({ idle: 2 }), { reason: 'starting', free: 2 }],
    ['a worker is idle and ready', health({ idle: 1, ready: 1 }), { reason: 'starting', free: 1 }],
    ['a worker is ready', health({ ready: 3 }), { reason: 'starting', free: 3 }],
    ['workers run others', health({ running: 2 }, 7), { reason: 'queued-behind', queued: 7, running: 2 }],
    ['a worker crashes', health({ unhealthy: 1 }), { reason: 'unhealthy', unhealthy: 1 }],
    ['workers start', health({ initializing: 2 }), { reason: 'cold-start', initializing: 2 }],
    ['no GPU is free', health({ throttled: 3 }), { reason: 'throttled', throttled: 3 }],
    ['there are no workers', health({}), { reason: 'no-workers' }],
    ['there is no health', undefined, { reason: 'unknown' }],
  ])('gives a reason for a queued job where %s', (_, counts, diagnosis) => {
    expect(diagnose(life.q, counts)).toStrictEqual(diagnosis);
  });

  it('tests the counts in the order of the table', () => {
    const order = ['idle', 'running', 'ready', 'unhealthy', 'initializing', 'throttled'];
    const reasons = order.map((_, index) => {
      const workers = Object.fromEntries(order.slice(index).map((name) => [name, 1]));
      return diagnose(life.q, health(workers)).reason;
    });
    expect(reasons).toStrictEqual(['starting', 'queued-behind', 'starting', 'unhealthy', 'cold-start', 'throttled']);
  });

  it.each<[string, EndpointHealth, Diagnosis['reason']]>([
    ['all but two, and those are nothing', only({ idle: 0, running: 0 }), 'unknown'],
    ['all but two, and a worker runs', only({ idle: 0, running: 1 }), 'queued-behind'],
    ['all', only({}), 'unknown'],
    ['unhealthy', only({ idle: 0, running: 0, initializing: 0, throttled: 0 }), 'unknown'],
    ['initializing', only({ idle: 0, running: 0, unhealthy: 0, throttled: 0 }), 'unknown'],
    ['throttled', only({ idle: 0, running: 0, unhealthy: 0, initializing: 0 }), 'unknown'],
    ['throttled, where another count says it', only({ initializing: 1 }), 'cold-start'],
    ['ready', only({ idle: 0, running: 0, unhealthy: 0, initializing: 0, throttled: 0 }), 'no-workers'],
  ])('gives a reason where counts are missing: %s', (_, counts, reason) => {
    expect(diagnose(life.q, counts).reason).toBe(reason);
  });

  it('reads the health of the live service and of the documentation', () => {
    const of = ({ text }: { readonly text: string }) => diagnose(life.q, read(JSON.parse(text) as object));
    expect(of(healthForms.live)).toStrictEqual({ reason: 'starting', free: 1 });
    expect(of(healthForms['as the documentation prints it'])).toStrictEqual({
      reason: 'queued-behind',
      queued: 2,
      running: 3,
    });
    expect(of(healthForms['with counts missing'])).toStrictEqual({ reason: 'unknown' });
  });

  it.each<[string, Diagnosis]>([
    ['p', { reason: 'running' }],
    ['r', { reason: 'running' }],
    ['u', { reason: 'unknown' }],
    ['c', { reason: 'ended', status: 'COMPLETED' }],
    ['f', { reason: 'ended', status: 'FAILED' }],
    ['x', { reason: 'ended', status: 'CANCELLED' }],
    ['t', { reason: 'ended', status: 'TIMED_OUT' }],
  ])('S17 goes by the status and not by the counts where the job is not IN_QUEUE: %s', (letter, diagnosis) => {
    const snapshot = life[letter as keyof typeof life];
    for (const counts of [undefined, health({}), health({ idle: 1 }), health({ throttled: 1 })])
      expect(diagnose(snapshot, counts)).toStrictEqual(diagnosis);
  });

  describe('of a job that is about to expire', () => {
    const at = (left: number, ttl?: number): DiagnosisFacts => ({
      submittedAt: 1_000,
      now: 1_000 + (ttl ?? 24 * HOUR) - left,
      ...(ttl !== undefined && { ttl }),
    });

    it.each<[string, DiagnosisFacts, Diagnosis]>([
      ['five minutes before 24 h are over', at(300_000), { reason: 'expiring', left: 300_000 }],
      ['not a moment earlier', at(300_001), { reason: 'no-workers' }],
      ['in the last tenth of a short ttl', at(1_000, 10_000), { reason: 'expiring', left: 1_000 }],
      ['not before that', at(1_001, 10_000), { reason: 'no-workers' }],
      ['five minutes before a ttl of hours is over', at(300_000, HOUR), { reason: 'expiring', left: 300_000 }],
      ['not a moment before that', at(300_001, HOUR), { reason: 'no-workers' }],
      ['when it should be gone already', at(-5), { reason: 'expiring', left: 0 }],
    ])('says so %s', (_, facts, diagnosis) => {
      expect(diagnose(life.q, health({}), facts)).toStrictEqual(diagnosis);
    });

    it('says so of a running job, without health, and with an unknown status', () => {
      const expiring = { reason: 'expiring', left: 7 };
      expect(diagnose(life.p, health({ running: 1 }), at(7))).toStrictEqual(expiring);
      expect(diagnose(life.q, undefined, at(7))).toStrictEqual(expiring);
      expect(diagnose(life.u, undefined, at(7))).toStrictEqual(expiring);
    });

    it('does not say so of a job that is over', () => {
      expect(diagnose(life.c, undefined, at(7))).toStrictEqual({ reason: 'ended', status: 'COMPLETED' });
    });

    it.each<[string, DiagnosisFacts]>([
      ['when it was submitted', { now: 25 * HOUR }],
      ['what time it is', { submittedAt: 0 }],
      ['either', {}],
    ])('says nothing of the ttl where it is not known %s', (_, facts) => {
      expect(diagnose(life.p, undefined, facts)).toStrictEqual({ reason: 'running' });
    });
  });

  it('gives a reason for every snapshot and health, and throws nothing', () => {
    const status = fc.constantFrom('IN_QUEUE', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'NEW_ONE');
    const counts = fc.record(
      Object.fromEntries(
        Object.keys(NONE).map((name) => [name, fc.oneof(fc.integer(), fc.jsonValue({ maxDepth: 0 }))]),
      ),
      { requiredKeys: [] },
    );
    const facts = fc.record({ submittedAt: fc.double(), now: fc.double(), ttl: fc.double() }, { requiredKeys: [] });
    fc.assert(
      fc.property(status, counts, facts, (rawStatus, workers, known) => {
        const seen: EndpointHealth = { ...health({}), workers: workers as unknown as EndpointHealth['workers'] };
        expect(diagnose(job(rawStatus), seen, known).reason).toMatch(/^[a-z-]+$/);
      }),
      { seed },
    );
  });
});
