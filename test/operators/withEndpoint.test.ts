import { NEVER, VirtualTimeScheduler, of, switchMap, takeUntil, timer } from 'rxjs';
import { createRunpod } from 'runpod-rx';
import { cancelOnUnsubscribe, jobOutput, jobProgress, retryJob } from 'runpod-rx/operators';
import { createEmulator } from 'runpod-rx/testing';
import type { JobHandler } from 'runpod-rx/testing';
import { describe, expect, it } from 'vitest';

/** An endpoint of an emulator with this handler, on one virtual clock. */
function world(handler: JobHandler) {
  const scheduler = new VirtualTimeScheduler();
  const emulator = createEmulator({ scheduler, endpoints: { demo: { handler } } });
  const client = createRunpod({ transport: emulator.transport, baseUrl: 'http://localhost', scheduler });
  return { scheduler, emulator, endpoint: client.endpoint('demo') };
}

/** The requests of an operation that reached the emulator. */
const sent = ({ emulator }: ReturnType<typeof world>, wanted: string) =>
  emulator.requests().filter(({ operation }) => operation === wanted).length;

describe('with an endpoint', () => {
  it('S4 cancelOnUnsubscribe cancels a job by one request', () => {
    const here = world(() => NEVER);
    const { endpoint, emulator, scheduler } = here;
    const job$ = endpoint
      .run({ input: { a: 1 } })
      .pipe(switchMap(({ id }) => endpoint.watch(id).pipe(cancelOnUnsubscribe(endpoint, { id }))));
    job$.pipe(takeUntil(timer(20_000, scheduler))).subscribe();
    scheduler.flush();
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
    expect(sent(here, 'cancel')).toBe(1);
  });

  it('S1 retryJob does not repeat the submission that its source begins with', () => {
    let runs = 0;
    const here = world((_, { delay }) =>
      delay(1_000).pipe(switchMap(() => of(++runs < 3 ? { error: 'out of memory' } : 'done'))),
    );
    const { endpoint, emulator, scheduler } = here;
    const seen: unknown[] = [];
    endpoint
      .run({ input: { a: 1 } })
      .pipe(
        switchMap(({ id }) => endpoint.watch(id)),
        retryJob(endpoint, { count: 2, delay: 500, scheduler }),
        jobOutput(),
      )
      .subscribe((output) => seen.push(output));
    scheduler.flush();
    expect(seen).toStrictEqual(['done']);
    expect([sent(here, 'run'), sent(here, 'retry')]).toStrictEqual([1, 2]);
    expect(emulator.jobs()).toHaveLength(1);
  });

  it('S18 retryJob takes an equal failure for the earlier one until `lag` is over, then emits it', () => {
    const here = world((_, { delay }) => delay(1_000).pipe(switchMap(() => of({ error: 'out of memory' }))));
    const { endpoint, scheduler } = here;
    const seen: unknown[] = [];
    endpoint
      .runSync({ input: { a: 1 } })
      .pipe(retryJob(endpoint, { scheduler }))
      .subscribe({ next: ({ status }) => seen.push(status), complete: () => seen.push(scheduler.now()) });
    scheduler.flush();
    expect(seen.slice(0, 1)).toStrictEqual(['IN_QUEUE']);
    expect(seen.at(-2)).toBe('FAILED');
    expect(seen.at(-1)).toBeGreaterThanOrEqual(11_000);
    expect(seen.at(-1)).toBeLessThan(13_000);
    expect([sent(here, 'runsync'), sent(here, 'retry')]).toStrictEqual([1, 1]);
  });

  it('jobProgress emits the handler’s updates', () => {
    const { endpoint, scheduler } = world((_, { progress, delay }) => {
      progress({ percent: 50 });
      return delay(5_000);
    });
    const seen: unknown[] = [];
    endpoint
      .run({ input: { a: 1 } })
      .pipe(
        switchMap(({ id }) => endpoint.watch(id)),
        jobProgress<{ percent: number }>(),
      )
      .subscribe(({ percent }) => seen.push(percent));
    scheduler.flush();
    expect(seen).toStrictEqual([50]);
  });
});
