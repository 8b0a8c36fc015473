import { Subscription } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { PollPolicy, RunpodError } from 'runpod-rx';
import { script, world } from '../support/world.js';

const mine = new Error('mine');

/** A policy that works so many times, and then throws. */
const failingAfter = (count: number): PollPolicy => {
  let calls = 0;
  return () => {
    if (calls++ >= count) throw mine;
    return 1_000;
  };
};

const running = () => ({ body: { id: 'job-1', status: 'IN_PROGRESS' } });
const told = { code: 'configuration', jobId: 'job-1', endpointId: 'demo', operation: 'status', cause: mine };

describe('a poll policy that throws', () => {
  test.each([0, 1, 5])(
    'after %i delays ends its watch with ConfigurationError, and no other watch of the job',
    (count) => {
      const { endpoint, see, until, sent, scheduler } = script(running);
      const watched = see(endpoint.watch('job-1', { poll: failingAfter(count) }));
      const other = see(endpoint.watch('job-1', { every: 2_000 }));
      until(20_000);
      expect(watched.error).toMatchObject({ ...told, message: expect.stringContaining('poll') as string });
      expect(other.error).toBeUndefined();
      expect(sent.filter(({ at }) => at > 10_000).length).toBeGreaterThanOrEqual(5);
      other.subscription.unsubscribe();
      expect(scheduler.actions).toEqual([]);
    },
  );

  test('after a read that failed ends its watch', () => {
    const { endpoint, see, until } = script((_, nth) => (nth > 1 ? { status: 503 } : running()), { retry: false });
    const watched = see(endpoint.watch('job-1', { poll: failingAfter(1) }));
    until(20_000);
    expect(watched).toMatchObject({ error: told, ended: 1_000 });
  });

  test('errors the views of a job with its reference, and the job goes on', () => {
    const { endpoint, see, until, sent } = script(({ operation }) =>
      operation === 'run' ? { body: { id: 'job-1', status: 'IN_QUEUE' } } : running(),
    );
    const job = endpoint.job({ input: { a: 1 } }, { poll: failingAfter(2) });
    const state = see(job.state$);
    until(60_000);
    expect(state.error).toMatchObject({ ...told, ref: { id: 'job-1' } });
    expect(sent.filter(({ operation }) => operation === 'cancel')).toEqual([]);
  });

  test('errors runToEnd with the reference, and the job goes on', () => {
    const made = world();
    const seen = made.see(made.endpoint.runToEnd({ input: { ms: 30_000 } }, { poll: failingAfter(1) }));
    made.until(60_000);
    const { error } = seen as { error?: RunpodError };
    expect(error).toMatchObject({ code: 'configuration', cause: mine, ref: { id: made.emulator.jobs()[0]!.id } });
    expect(made.emulator.jobs()).toMatchObject([{ end: 'completed' }]);
  });

  test('that unsubscribes its own watcher has nothing read for it any more', () => {
    const { endpoint, until, sent, scheduler } = script(running);
    const watching = new Subscription();
    const poll = () => {
      if (sent.length > 1) watching.unsubscribe();
      return 1_000;
    };
    watching.add(endpoint.watch('job-1', { poll }).subscribe());
    until(20_000);
    expect(sent).toHaveLength(2);
    expect(scheduler.actions).toEqual([]);
  });
});

describe('S22 whatever fails while a job is read', () => {
  const bug = new RangeError('Maximum call stack size exceeded');
  const failing = (strikes: (nth: number) => boolean) => {
    let reads = 0;
    return world(
      {},
      {
        links: [
          (request, next) => {
            if (request.operation === 'status' && strikes(++reads)) throw bug;
            return next(request);
          },
        ],
      },
    );
  };

  test('is an error of reading: once, it is read again, and the job completes', () => {
    const made = failing((nth) => nth === 2);
    const [state, run] = [
      made.see(made.endpoint.job({ input: { ms: 5_000 } }).state$),
      made.see(made.endpoint.runToEnd({ input: { ms: 5_000 } })),
    ];
    made.until(30_000);
    expect([state.error, run.error]).toEqual([undefined, undefined]);
    expect(made.emulator.jobs().map(({ end }) => end)).toEqual(['completed', 'completed']);
  });

  test('is told as a RunpodError with the reference after an outage, and cancels nothing', () => {
    const made = failing(() => true);
    const outage = 10_000;
    const [state, run] = [
      made.see(made.endpoint.job({ input: { ms: 60_000 } }, { outage }).state$),
      made.see(made.endpoint.runToEnd({ input: { ms: 60_000 } }, { outage })),
    ];
    made.until(100_000);
    for (const { error } of [state, run])
      expect(error).toMatchObject({ code: 'response', cause: bug, ref: { endpointId: 'demo' } });
    expect(made.emulator.jobs().map(({ end, cancelRequests }) => [end, cancelRequests])).toEqual([
      ['completed', 0],
      ['completed', 0],
    ]);
  });

  test('is a RunpodError of a single read, too', () => {
    const made = failing(() => true);
    const seen = made.see(made.endpoint.status('job-1'));
    made.until(20_000);
    expect(seen.error).toMatchObject({ code: 'response', retryable: true, jobId: 'job-1', cause: bug });
  });
});
