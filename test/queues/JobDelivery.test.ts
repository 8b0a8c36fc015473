import { concatMap, map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { EmulatedEndpoint } from 'runpod-rx/testing';
import { isFinalFailure } from '../../src/queues/isFinalFailure.js';
import { eventually } from '../../src/server/eventually.js';
import { toldWebhooks } from '../durable/support.js';
import { ending, queueWorld } from './support.js';

/** An answer to `/run` that comes a second late. */
const slow = { faults: [{ fault: 'slow-answer', on: 'run', after: 1_000 }] } as const;

describe('S40 a job that is delivered again', () => {
  test('is attached to where it was submitted', () => {
    const made = queueWorld();
    const first = made.deliver();
    made.until(3_000);
    first.kill();
    const second = made.deliver();
    made.until(60_000);
    expect(ending(second)).toBe('COMPLETED');
    expect(made.runs()).toBe(1);
    expect(made.cancels()).toBe(0);
  });

  test.each(['0', '1'])('has its output given again, also in another attempt: %s', (attempt) => {
    const made = queueWorld();
    made.deliver({ attempt: '0' });
    made.until(20_000);
    const again = made.deliver({ attempt });
    made.until(60_000);
    expect(ending(again)).toBe('COMPLETED');
    expect(made.runs()).toBe(1);
  });

  test('is found by its webhook where its answer was lost', () => {
    const webhooks = toldWebhooks();
    const made = queueWorld(slow, { webhooks });
    const first = made.deliver();
    made.until(500);
    expect(made.job.row()).toMatchObject({ state: 'sending' });
    first.kill();
    const second = made.deliver();
    made.until(20_000);
    expect(ending(second)).toBe('…');
    webhooks.jobs.set(webhooks.signed[0]!, made.emulator.jobs()[0]!.id);
    made.until(60_000);
    expect(ending(second)).toBe('COMPLETED');
    expect(made.runs()).toBe(1);
  });

  test.each([
    ['fail', '!submission_unknown', 1],
    ['resubmit', 'COMPLETED', 2],
  ] as const)('is ambiguous where its answer was lost: %s', (ambiguous, expected, runs) => {
    const made = queueWorld(slow, { ambiguous });
    const first = made.deliver();
    made.until(500);
    first.kill();
    const second = made.deliver();
    made.until(60_000);
    expect(ending(second)).toBe(expected);
    expect(made.runs()).toBe(runs);
  });

  test.each(['wait', 'resubmit'] as const)(
    'is found by its webhook, also where the first look-up fails and there is no time left: %s',
    (ambiguous) => {
      const webhooks = toldWebhooks();
      let isAway = false;
      const jobOf = (key: string) => {
        if (isAway) throw new Error('away');
        return webhooks.jobOf(key);
      };
      const made = queueWorld(slow, { webhooks: { ...webhooks, jobOf }, ambiguous, grace: 5_000 });
      const first = made.deliver();
      made.until(500);
      first.kill();
      made.until(20_000);
      webhooks.jobs.set(webhooks.signed[0]!, made.emulator.jobs()[0]!.id);
      isAway = true;
      const second = made.deliver();
      made.at(30_000, () => {
        isAway = false;
      });
      made.until(60_000);
      expect(ending(second)).toBe('COMPLETED');
      expect(made.runs()).toBe(1);
    },
  );

  test('is not submitted again where the store of the webhooks cannot be asked', () => {
    const webhooks = {
      ...toldWebhooks(),
      jobOf: () => {
        throw new Error('away');
      },
    };
    const made = queueWorld(slow, { webhooks, ambiguous: 'resubmit', grace: 5_000 });
    const first = made.deliver();
    made.until(500);
    first.kill();
    const second = made.deliver();
    made.until(300_000);
    expect(ending(second)).toBe('!hook');
    expect(made.runs()).toBe(1);
  });

  test('with another input is an error, and nothing is sent', () => {
    const made = queueWorld();
    made.deliver();
    made.until(20_000);
    const second = made.deliver({ request: { input: { id: 'b' } }, attempt: '1' });
    made.until(30_000);
    expect(ending(second)).toBe('!configuration');
    expect(made.runs()).toBe(1);
  });
});

describe('S41 the shutdown of a worker, and a lock that is lost', () => {
  test.each(['release', 'lost'] as const)('detach, and cancel nothing: %s', (order) => {
    const made = queueWorld();
    const first = made.deliver();
    made.until(3_000);
    first.orders$.next(order);
    made.until(3_100);
    expect(ending(first)).toBe(order === 'lost' ? 'lost' : 'released');
    made.until(60_000);
    expect(made.cancels()).toBe(0);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'COMPLETED' }]);
  });

  test('wait for the answer of a submission, and for its record', () => {
    const made = queueWorld(slow);
    const first = made.deliver();
    made.at(500, () => {
      first.orders$.next('release');
    });
    made.until(900);
    expect(ending(first)).toBe('…');
    made.until(1_500);
    expect(ending(first)).toBe('released');
    expect(made.job.row()).toMatchObject({ state: 'submitted' });
  });

  test('wait for the record of an end, which is told to the queue then', () => {
    const made = queueWorld();
    const row = made.job.claim();
    let isEnding = false;
    const first = made.deliver({
      row: {
        ...row,
        write: (text, condition) => {
          if (!text.includes('"ended"')) return row.write(text, condition);
          isEnding = true;
          return made.later(1_000).pipe(concatMap(() => eventually(() => row.write(text, condition))));
        },
      },
    });
    while (!isEnding) made.until(made.scheduler.now() + 100);
    first.orders$.next('release');
    made.until(60_000);
    expect(ending(first)).toBe('COMPLETED');
    expect(made.job.row()).toMatchObject({ state: 'ended' });
  });

  test('detach where the client is closed', () => {
    const made = queueWorld(slow);
    const first = made.deliver();
    made.at(500, () => {
      made.see(first.client.close());
    });
    made.until(900);
    expect(ending(first)).toBe('…');
    made.until(60_000);
    expect(ending(first)).toBe('released');
    expect(made.job.row()).toMatchObject({ state: 'submitted' });
    expect(made.cancels()).toBe(0);
  });

  test('withdraw a submission that was not sent', () => {
    const made = queueWorld({}, { job: { beforeSubmit: (request) => made.later(1_000).pipe(map(() => request)) } });
    const first = made.deliver();
    made.at(500, () => {
      first.orders$.next('release');
    });
    made.until(60_000);
    expect(ending(first)).toBe('released');
    expect(made.runs()).toBe(0);
    expect(made.job.row()).toBeUndefined();
  });

  test.each(['release', 'lost'] as const)('withdraw a submission that is about to be sent: %s', (order) => {
    const made = queueWorld();
    const row = made.job.claim();
    const first = made.deliver({
      row: {
        ...row,
        write: (text, condition) =>
          made.later(1_000).pipe(concatMap(() => eventually(() => row.write(text, condition)))),
      },
    });
    made.until(500);
    // The row is about to say that it is sent.
    first.orders$.next(order);
    made.until(1_500);
    // The lock may be lost after that.
    made.job.take();
    made.until(60_000);
    expect(ending(first)).toBe(order === 'lost' ? 'lost' : 'released');
    expect(made.job.row()).toMatchObject({ state: 'wanted' });
    const second = made.deliver();
    made.until(90_000);
    expect(ending(second)).toBe('COMPLETED');
    expect(made.runs()).toBe(1);
  });

  test('a submission that was refused while the worker shut down is not ambiguous', () => {
    const late = { fault: 'latency', on: 'run', after: 1_000 } as const;
    const made = queueWorld({ faults: [late, { fault: 'answer', on: 'run', status: 400 }] });
    const first = made.deliver();
    made.at(500, () => {
      first.orders$.next('release');
    });
    made.until(5_000);
    expect(ending(first)).toBe('released');
    expect(made.job.row()).toMatchObject({ state: 'wanted' });
  });
});

describe('S41 a cancel in the queue', () => {
  test.each([
    ['before it was sent', 0, 0, 0],
    ['while its submission is answered', 500, 1, 1],
    ['while it runs', 4_000, 1, 1],
  ])('cancels the job %s, once', (_when, at, runs, cancels) => {
    const made = queueWorld(slow);
    const first = made.deliver(at === 0 ? { first: 'cancel' } : {});
    made.at(at || 1, () => {
      first.orders$.next('cancel');
      first.orders$.next('cancel');
    });
    made.until(60_000);
    expect(ending(first)).toBe('cancelled');
    expect(made.runs()).toBe(runs);
    expect(made.cancels()).toBe(cancels);
  });

  test('cancels a job that was delivered again', () => {
    const made = queueWorld();
    const first = made.deliver();
    made.until(3_000);
    first.kill();
    const second = made.deliver({ first: 'cancel' });
    made.until(60_000);
    expect(ending(second)).toBe('cancelled');
    expect(made.cancels()).toBe(1);
    expect(made.job.row()).toMatchObject({ state: 'ended', end: { job: { status: 'CANCELLED' } } });
  });

  test('ends the wait for a job whose answer was lost', () => {
    const made = queueWorld(slow, { webhooks: toldWebhooks() });
    const first = made.deliver();
    made.until(500);
    first.kill();
    const second = made.deliver();
    made.until(2_000);
    second.orders$.next('cancel');
    made.until(3_000);
    expect(ending(second)).toBe('cancelled');
    expect(made.cancels()).toBe(0);
  });

  test('of a job that somebody else cancels on the service, it is none', () => {
    const made = queueWorld();
    const first = made.deliver();
    made.until(3_000);
    made.see(made.endpoint.cancel(made.emulator.jobs()[0]!.id));
    made.until(60_000);
    expect(ending(first)).toBe('CANCELLED');
  });
});

describe('S42 a worker that has lost the job', () => {
  test('submits nothing', () => {
    const made = queueWorld({}, { job: { beforeSubmit: (request) => made.later(1_000).pipe(map(() => request)) } });
    const first = made.deliver();
    made.at(500, () => {
      made.job.take();
    });
    made.until(60_000);
    expect(ending(first)).toBe('lost');
    expect(made.runs()).toBe(0);
  });

  test('submits nothing where the engine has written before that it is sent, and has not answered', () => {
    const made = queueWorld();
    const row = made.job.claim();
    let writes = 0;
    const first = made.deliver({
      row: {
        ...row,
        write: (text, condition) => {
          const result = row.write(text, condition);
          if (++writes > 1) return result;
          // The connection is lost, and the worker stalls.
          made.job.take();
          throw new Error('the connection is lost');
        },
      },
    });
    made.until(60_000);
    expect(ending(first)).toBe('lost');
    expect(made.runs()).toBe(0);
    const second = made.deliver();
    made.until(90_000);
    expect(ending(second)).toBe('COMPLETED');
    expect(made.runs()).toBe(1);
  });

  test('still writes down which job its submission became: the next worker attaches to it', () => {
    const made = queueWorld(slow, { webhooks: toldWebhooks(), grace: 5_000 });
    const first = made.deliver();
    let second = first;
    made.at(500, () => {
      second = made.deliver();
      first.orders$.next('lost');
    });
    made.until(1_500);
    expect(made.job.row()).toMatchObject({ state: 'submitted' });
    // The second waits for the webhook, to no avail, and is delivered once more.
    made.until(8_000);
    expect(ending(second)).toBe('!submission_unknown');
    const third = made.deliver();
    made.until(60_000);
    expect(ending(third)).toBe('COMPLETED');
    expect(made.runs()).toBe(1);
  });

  test('overwrites nothing of the worker that has it now', () => {
    const made = queueWorld({}, { ambiguous: 'resubmit' });
    const first = made.deliver();
    made.until(3_000);
    const second = made.deliver();
    made.until(20_000);
    expect([ending(first), ending(second)]).toEqual(['COMPLETED', 'COMPLETED']);
    expect(made.runs()).toBe(1);
    expect(made.job.row()).toMatchObject({ state: 'ended', generation: 1 });
  });

  test('and writes that another has changed the row: it is read again before anything is submitted', () => {
    const made = queueWorld(slow, { ambiguous: 'resubmit', webhooks: toldWebhooks(), grace: 10_000 });
    const first = made.deliver();
    let second = first;
    made.at(500, () => {
      // Its event loop is busy: it writes down the id long after it has lost the job.
      second = made.deliver();
    });
    made.until(60_000);
    expect(ending(second)).toBe('COMPLETED');
    expect(made.runs()).toBe(1);
  });
});

describe('S43 a job that FAILED', () => {
  test('is run again in the next attempt, and never in the same', () => {
    let runs = 0;
    const handler = () => {
      runs++;
      if (runs === 1) throw new Error('once');
      return 'fine';
    };
    const made = queueWorld({ endpoints: { demo: { handler } } });
    const first = made.deliver({ attempt: '0' });
    made.until(20_000);
    const again = made.deliver({ attempt: '0' });
    made.until(30_000);
    expect([ending(first), ending(again)]).toEqual(['FAILED', 'FAILED']);
    expect(runs).toBe(1);
    const next = made.deliver({ attempt: '1' });
    made.until(60_000);
    expect(ending(next)).toBe('COMPLETED');
    expect(runs).toBe(2);
    expect(made.job.row()).toMatchObject({ generation: 2, attempt: '1' });
  });

  test('a job whose result is lost is not run again: it may have been paid', () => {
    const made = queueWorld();
    const first = made.deliver();
    made.until(3_000);
    first.kill();
    // RunPod keeps results for half an hour.
    made.until(3_600_000);
    const second = made.deliver();
    made.until(3_700_000);
    expect(ending(second)).toBe('!job_not_found');
    const [outcome] = second.values;
    expect(outcome?.type === 'failed' && isFinalFailure(outcome.error)).toBe(true);
  });

  test('a job that cannot be read for a while is attached to in the next attempt', () => {
    const made = queueWorld({}, { job: { outage: 5_000 } });
    const first = made.deliver({ attempt: '0' });
    made.until(2_000);
    made.emulator.faults.add([{ fault: 'empty-502' }]);
    made.until(40_000);
    expect(ending(first)).toMatch(/^!/);
    made.emulator.faults.clear();
    const next = made.deliver({ attempt: '1' });
    made.until(90_000);
    expect(ending(next)).toBe('COMPLETED');
    expect(made.runs()).toBe(1);
  });
});

test('progress is reported as it comes, and a report that fails has no effect', () => {
  const handler: EmulatedEndpoint['handler'] = (_job, { progress, delay }) => {
    progress({ percent: 50 });
    return delay(5_000);
  };
  const made = queueWorld({ endpoints: { demo: { handler } } });
  const first = made.deliver();
  made.until(30_000);
  expect(ending(first)).toBe('COMPLETED');
  expect(first.progress).toEqual([{ percent: 50 }]);
  const other = queueWorld({ endpoints: { demo: { handler } } });
  const failing = other.deliver({
    progress: () => {
      throw new Error('no');
    },
  });
  other.until(30_000);
  expect(ending(failing)).toBe('COMPLETED');
});

test('a store that is away for a while is tried again', () => {
  const made = queueWorld();
  const row = made.job.claim();
  let away = true;
  const failing = (): never => {
    throw new Error('away');
  };
  const first = made.deliver({
    row: {
      read: () => (away ? failing() : row.read()),
      write: (text, condition) => (away ? failing() : row.write(text, condition)),
    },
  });
  made.at(3_000, () => {
    away = false;
  });
  made.at(6_000, () => {
    away = true;
  });
  made.at(60_000, () => {
    away = false;
  });
  made.until(90_000);
  expect(ending(first)).toBe('COMPLETED');
  expect(made.runs()).toBe(1);
});
