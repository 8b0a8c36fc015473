import { Subject, delay, map, of, take } from 'rxjs';
import { expect, test } from 'vitest';
import { createRunpod, type Transport, type TransportRequest } from 'runpod-rx';
import { clock } from '../support/world.js';

const COUNT = 10_000;

/** The documented limits of `/cancel`: the last of 10,000 cancels is sent after more than sixteen minutes. */
const limits = { cancel: { requests: 100, per: 10_000, concurrent: 20 } };

test('S6 of 10,000 jobs that are left at once, all are cancelled, and none is abandoned while the service answers', () => {
  const time = clock();
  const { scheduler } = time;
  const submitted$ = new Subject<void>();
  const cancelledAt: number[] = [];
  const cancelled = new Set<string>();
  let inFlight = 0;
  let most = 0;
  const answer = ({ operation, url, body = '' }: TransportRequest) => {
    const id = operation === 'run' ? `job-${/\d+/.exec(body)![0]}` : url.slice(url.lastIndexOf('/') + 1);
    return {
      status: 200,
      headers: {},
      text: JSON.stringify({ id, status: operation === 'run' ? 'IN_QUEUE' : 'CANCELLED' }),
    };
  };
  const transport: Transport = (request) => {
    const reply = answer(request);
    if (request.operation === 'run')
      return submitted$.pipe(
        take(1),
        map(() => reply),
      );
    most = Math.max(most, ++inFlight);
    cancelledAt.push(scheduler.now());
    cancelled.add(request.url);
    return of(reply).pipe(
      delay(200, scheduler),
      map((value) => {
        inFlight--;
        return value;
      }),
    );
  };
  const client = createRunpod({ transport, scheduler, apiKey: 'key', random: () => 0.5, limits });
  const endpoint = client.endpoint('demo');
  for (let n = 0; n < COUNT; n++) endpoint.run({ input: { n } }).subscribe().unsubscribe();
  const settled = time.see(client.settled());
  submitted$.next();
  time.until(1_800_000);

  expect(settled.values).toHaveLength(1);
  const [report] = settled.values;
  expect([report!.cancelled.length, report!.finished.length, report!.abandoned.length, report!.lost.length]).toEqual([
    COUNT,
    0,
    0,
    0,
  ]);
  expect(cancelled.size).toBe(COUNT);
  expect(cancelledAt).toHaveLength(COUNT);
  expect(cancelledAt.at(-1)).toBeGreaterThan(960_000);
  expect(most).toBeLessThanOrEqual(20);
  for (let n = 100; n < COUNT; n++) expect(cancelledAt[n]! - cancelledAt[n - 100]!).toBeGreaterThan(10_000);
  expect(scheduler.actions).toEqual([]);
});
