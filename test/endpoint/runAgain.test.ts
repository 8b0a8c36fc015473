import { filter, of, retry } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createRunpod, type Transport } from 'runpod-rx';
import { clock, script } from '../support/world.js';

/** A client, and a service whose job has the status that the test says. */
function made() {
  const time = clock();
  const job = { status: 'COMPLETED' };
  const lines: string[] = [];
  const transport: Transport = ({ method, url, operation }) => {
    lines.push(`${time.scheduler.now()} ${method} ${url.replace(/.*\/demo/, '')}`);
    if (operation === 'cancel') job.status = 'CANCELLED';
    return of({ status: 200, headers: {}, text: JSON.stringify({ id: 'j', status: job.status }) });
  };
  const client = createRunpod({ transport, scheduler: time.scheduler, apiKey: 'key', limits: false });
  return { ...time, job, lines, client, endpoint: client.endpoint('demo') };
}

describe('S6 S18 a job that this client knows to be over, and another has run again', () => {
  test('is cancelled where it is attached to and abandoned', () => {
    const { see, until, job, lines, client, endpoint } = made();
    see(endpoint.status('j'));
    until(60_000);
    job.status = 'IN_PROGRESS';
    const state = see(endpoint.attach('j', { onUnsubscribe: 'cancel' }).state$);
    until(61_000);
    state.subscription.unsubscribe();
    const settled = see(client.settled());
    until(1_000_000);
    expect(settled.values).toMatchObject([{ cancelled: [{ id: 'j' }], finished: [] }]);
    expect(lines.filter((line) => line.includes('cancel'))).toHaveLength(1);
  });

  test('is cancelled by cancel()', () => {
    const { see, until, job, lines, endpoint } = made();
    see(endpoint.status('j'));
    until(60_000);
    job.status = 'IN_QUEUE';
    const cancelled = see(endpoint.attach('j').cancel());
    until(70_000);
    expect(cancelled.values).toMatchObject([{ status: 'CANCELLED' }]);
    expect(lines.filter((line) => line.includes('cancel'))).toHaveLength(1);
  });

  test('has its second end told, too', () => {
    const { see, until, job, client, endpoint } = made();
    const ends = see(client.activity$.pipe(filter(({ type }) => type === 'ended')));
    see(endpoint.status('j'));
    until(60_000);
    job.status = 'IN_PROGRESS';
    see(endpoint.watch('j'));
    until(61_000);
    job.status = 'FAILED';
    until(100_000);
    expect(ends.values).toMatchObject([{ status: 'COMPLETED' }, { status: 'FAILED' }]);
  });
});

test('S16 the chunks of a job that another has run again are counted anew', () => {
  let run = { status: 'COMPLETED', chunks: ['a', 'b', 'c'], failures: 0 };
  const { endpoint, see, until } = script(
    ({ operation }) => {
      const { status, chunks } = run;
      if (operation !== 'stream') return { body: { id: 'j', status } };
      if (chunks.length === 1 && run.failures-- > 0) return { status: 429 };
      return { body: { status, stream: chunks.splice(0, 1).map((output) => ({ output })) } };
    },
    { retry: false },
  );
  see(endpoint.stream('j'));
  until(60_000);
  run = { status: 'IN_PROGRESS', chunks: ['x', 'y'], failures: 3 };
  // Its reading ends by an error after the first chunk, and goes on.
  const read = see(endpoint.attach('j', { outage: 0, replayChunks: 0 }).chunks$.pipe(retry(1)));
  until(70_000);
  run.status = 'COMPLETED';
  until(100_000);
  expect([read.values, read.error]).toEqual([['x', 'y'], undefined]);
});

test.each(['IN_PROGRESS', 'PAUSED'])(
  'S18 a job that has just ended, and is answered to be %s, is over all the same: it is read, and not cancelled',
  (status) => {
    const { see, until, job, lines, client, endpoint } = made();
    see(endpoint.status('j'));
    job.status = status;
    see(endpoint.attach('j', { onUnsubscribe: 'cancel' }).state$).subscription.unsubscribe();
    const settled = see(client.settled());
    until(9_000);
    job.status = 'COMPLETED';
    until(100_000);
    expect(settled.values).toMatchObject([{ cancelled: [], finished: [{ id: 'j' }] }]);
    expect(lines.filter((line) => line.includes('cancel'))).toEqual([]);
  },
);
