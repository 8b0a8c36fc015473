import { NEVER, Observable, Subject, config, of, throwError, timer, type SchedulerLike } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { JobOptions, JobRef } from 'runpod-rx';
import { script, world, type Answer } from '../support/world.js';
import { asked, settled } from './support.js';
import { tally } from './support/acting.js';

const input = { ms: 20_000 };
const queued: Answer = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const done: Answer = { body: { id: 'job-1', status: 'COMPLETED', output: 'yes' } };
const cancelled: Answer = { body: { id: 'job-1', status: 'CANCELLED' } };
const broken = new Error('the disk is full');

/** What RxJS's handler gets. */
function unhandled(): unknown[] {
  const errors: unknown[] = [];
  config.onUnhandledError = (error) => errors.push(error);
  onTestFinished(() => {
    config.onUnhandledError = null;
  });
  return errors;
}

/** A service that takes jobs, which are over once they are read, and cancels those that it is asked to. */
const service = () =>
  script(({ operation }) => {
    if (operation === 'run') return queued;
    return operation === 'cancel' ? cancelled : done;
  });

describe('S34 beforeSend', () => {
  test('is awaited right before the wire, within the limits and with the key', () => {
    const calls: unknown[] = [];
    const made = script(() => queued, {
      limits: { run: { requests: 1, per: 10_000 } },
      apiKey: () => {
        calls.push(`key ${made.scheduler.now()}`);
        return of('key');
      },
    });
    const beforeSend: JobOptions['beforeSend'] = (request, { attempt }) => {
      calls.push(`${made.scheduler.now()} #${attempt} ${JSON.stringify(request.input)} sent ${made.sent.length}`);
      return timer(500, made.scheduler);
    };
    for (const x of [1, 2]) made.see(made.endpoint.job({ input: { x } }, { beforeSend, onUnsubscribe: 'detach' }).id$);
    made.until(400);
    expect(calls).toEqual(['key 0', '0 #1 {"x":1} sent 0', 'key 0']);
    expect(made.sent).toEqual([]);
    made.until(20_000);
    // The second waits for its turn, and is announced only then.
    expect(calls[3]).toMatch(/^10501 #1 \{"x":2\} sent 1$/);
    expect(made.sent.map(({ at }) => at)).toEqual([500, 11_001]);
  });

  test('is called for each attempt, and not where nothing is sent', () => {
    const made = script((_, nth) => (nth < 3 ? { status: 429 } : queued));
    const attempts: number[] = [];
    const beforeSend: JobOptions['beforeSend'] = (_, { attempt }) => {
      attempts.push(attempt);
      return [];
    };
    made.see(made.endpoint.job({ input }, { beforeSend, onUnsubscribe: 'detach' }).id$);
    made.until(20_000);
    expect(attempts).toEqual([1, 2, 3]);
    expect(made.sent).toHaveLength(3);
  });

  test.each<[string, JobOptions]>([
    ['a wrong input', { beforeSubmit: () => of({ input: [] as unknown as Record<string, unknown> }) }],
    ['a header that cannot be sent', { headers: { 'x-a': 'line\nbreak' } }],
  ])('is not called for %s', (_, options) => {
    const made = script(() => queued);
    const beforeSend = vi.fn(() => []);
    const seen = made.see(made.endpoint.job({ input }, { ...options, beforeSend }).id$);
    made.until(1_000);
    expect(seen.error).toMatchObject({ code: 'validation' });
    expect(beforeSend).not.toHaveBeenCalled();
  });

  test('is not called with a key that cannot be sent', () => {
    const made = script(() => queued, { apiKey: () => of('a key with spaces') });
    const beforeSend = vi.fn(() => []);
    const seen = made.see(made.endpoint.job({ input }, { beforeSend }).id$);
    made.until(1_000);
    expect(seen.error).toMatchObject({ code: 'configuration', accepted: 'no' });
    expect(beforeSend).not.toHaveBeenCalled();
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw broken;
      },
    ],
    ['errors', () => throwError(() => broken)],
    ['gives nothing to wait for', () => undefined],
  ])('that %s: nothing is sent, nothing is repeated, and the error says so', (name, hook) => {
    const made = script(() => queued);
    const beforeSend = vi.fn(hook) as unknown as NonNullable<JobOptions['beforeSend']>;
    const seen = made.see(made.endpoint.job({ input }, { beforeSend }).output$);
    made.until(100_000);
    expect(seen.error).toMatchObject({ code: 'hook', hook: 'beforeSend', accepted: 'no', retryable: false });
    if (name !== 'gives nothing to wait for') expect(seen.error).toHaveProperty('cause', broken);
    expect(beforeSend).toHaveBeenCalledTimes(1);
    expect(made.sent).toEqual([]);
  });

  test('S12 that never completes has failed after two minutes, and gives its turn back', () => {
    const made = script(() => queued, { limits: { run: { concurrent: 1 } } });
    const seen = made.see(made.endpoint.job({ input }, { beforeSend: () => NEVER }).output$);
    const next = made.see(made.endpoint.job({ input }, { onUnsubscribe: 'detach' }).id$);
    made.until(119_000);
    expect([seen.error, made.sent]).toEqual([undefined, []]);
    made.until(121_000);
    expect(seen.error).toMatchObject({ code: 'hook', accepted: 'no' });
    expect(next.values).toEqual(['job-1']);
  });

  test('S5 of a job that is left meanwhile is unsubscribed from, and the job never sent', () => {
    const made = script(() => queued);
    let stopped = 0;
    const beforeSend = () =>
      new Observable<never>(() => () => {
        stopped++;
      });
    const seen = made.see(made.endpoint.job({ input }, { beforeSend }).output$);
    made.until(1_000);
    seen.subscription.unsubscribe();
    made.until(1_001);
    expect(stopped).toBe(1);
    made.until(500_000);
    expect(made.sent).toEqual([]);
    expect(settled(made)).toEqual({ cancelled: [], finished: [], abandoned: [], lost: [] });
  });
});

describe('S34 afterSubmit', () => {
  test('is awaited before any view is told', () => {
    const made = service();
    const recorded$ = new Subject<void>();
    const refs: JobRef[] = [];
    const afterSubmit = (ref: JobRef) => {
      refs.push(ref);
      return recorded$;
    };
    const job = made.endpoint.job({ input }, { afterSubmit, tag: 'mine', onUnsubscribe: 'detach' });
    const [events, ids] = [made.see(job.events$), made.see(job.id$)];
    made.until(5_000);
    const late = made.see(job.state$);
    const reference = made.see(job.detach());
    expect(refs).toEqual([{ v: 1, endpointId: 'demo', id: 'job-1', submittedAt: 0, tag: 'mine' }]);
    expect([ids.values, late.values, reference.values]).toEqual([[], [], []]);
    expect(events.values.map(({ type }) => type)).toEqual(['submitting']);
    expect(made.sent.map(({ operation }) => operation)).toEqual(['run']);
    recorded$.complete();
    expect(reference.values).toMatchObject([{ id: 'job-1' }]);
  });

  test('the views are told all of it then, and the job is read on', () => {
    const made = service();
    const job = made.endpoint.job({ input }, { afterSubmit: () => timer(3_000, made.scheduler) });
    const [events, ids, end] = [made.see(job.events$), made.see(job.id$), made.see(job.end$)];
    made.until(2_999);
    expect(ids.values).toEqual([]);
    made.until(20_000);
    expect(ids.at).toEqual([3_000]);
    expect(events.values.map(({ type }) => type)).toEqual(['submitting', 'submitted', 'state', 'state', 'ended']);
    expect(end.values).toMatchObject([{ status: 'COMPLETED', output: 'yes' }]);
  });

  test('a terminal answer to the submission is told after it, too', () => {
    const made = script(() => done);
    const job = made.endpoint.job({ input }, { afterSubmit: () => timer(3_000, made.scheduler) });
    const output = made.see(job.output$);
    made.until(2_999);
    const late = made.see(job.output$);
    expect([output.values, late.values]).toEqual([[], []]);
    made.until(3_001);
    expect([output.values, late.values]).toEqual([['yes'], ['yes']]);
  });

  test('that fails: the error carries the reference, the job goes on, and the next view has it called again', () => {
    const made = service();
    let fails = true;
    const afterSubmit = vi.fn(() => (fails ? throwError(() => broken) : of(1)));
    const job = made.endpoint.job({ input }, { afterSubmit });
    const seen = made.see(job.output$);
    made.until(10_000);
    expect(seen.error).toMatchObject({
      code: 'hook',
      hook: 'afterSubmit',
      jobId: 'job-1',
      accepted: 'unknown',
      ref: { id: 'job-1', endpointId: 'demo' },
      cause: broken,
    });
    expect(asked(made)).toEqual({ run: 1 });
    fails = false;
    const again = made.see(job.output$);
    made.until(30_000);
    expect(again.values).toEqual(['yes']);
    expect(afterSubmit).toHaveBeenCalledTimes(2);
    expect(tally(made).run).toBe(1);
  });

  test('S5 goes on when the views leave, and the cancel does not wait for it', () => {
    const made = service();
    let completed = false;
    const afterSubmit = () =>
      new Observable<never>((subscriber) => {
        const waiting = timer(9_000, made.scheduler).subscribe(() => {
          completed = true;
          subscriber.complete();
        });
        return () => {
          waiting.unsubscribe();
        };
      });
    const seen = made.see(made.endpoint.job({ input }, { afterSubmit }).output$);
    made.until(1_000);
    seen.subscription.unsubscribe();
    made.until(2_000);
    expect(asked(made)).toEqual({ run: 1, cancel: 1 });
    expect(settled(made)).toBeUndefined();
    made.until(9_000);
    expect(completed).toBe(true);
    expect(settled(made)?.cancelled).toEqual(['job-1']);
  });

  test('S5 records the job of a submission that was left before its answer', () => {
    const made = script(({ operation }) => (operation === 'run' ? { ...queued, after: 5_000 } : cancelled));
    const refs: string[] = [];
    const afterSubmit = ({ id }: JobRef) => {
      refs.push(id);
      return [];
    };
    const seen = made.see(made.endpoint.job({ input }, { afterSubmit }).output$);
    made.until(1_000);
    seen.subscription.unsubscribe();
    made.until(20_000);
    expect(refs).toEqual(['job-1']);
    expect(settled(made)?.cancelled).toEqual(['job-1']);
  });

  test.each<[string, number]>([
    ['at once', 0],
    ['in a while', 5_000],
  ])('S4 that fails after the last view has left keeps no job from being released: %s', (_, grace) => {
    const errors = unhandled();
    const made = service();
    const failed$ = new Subject<never>();
    const seen = made.see(made.endpoint.job({ input }, { grace, afterSubmit: () => failed$ }).output$);
    made.until(1_000);
    seen.subscription.unsubscribe();
    failed$.error(broken);
    made.until(20_000);
    expect(errors).toMatchObject([{ code: 'hook', ref: { id: 'job-1' } }]);
    expect(settled(made)?.cancelled).toEqual(['job-1']);
  });

  test('that fails when nobody is left is reported', () => {
    const errors = unhandled();
    const made = service();
    const afterSubmit = () => throwLater(made.scheduler);
    const seen = made.see(made.endpoint.job({ input }, { afterSubmit, onUnsubscribe: 'detach' }).output$);
    made.until(1_000);
    seen.subscription.unsubscribe();
    made.until(10_000);
    expect(errors).toMatchObject([{ code: 'hook', ref: { id: 'job-1' } }]);
  });

  test('is not called for a job that was attached to', () => {
    const made = service();
    const afterSubmit = vi.fn(() => []);
    const seen = made.see(made.endpoint.attach('job-1', { afterSubmit }).output$);
    made.until(10_000);
    expect(seen.values).toEqual(['yes']);
    expect(afterSubmit).not.toHaveBeenCalled();
  });
});

describe('S34 beforeCancel', () => {
  const running: Answer = { body: { id: 'job-1', status: 'IN_PROGRESS' } };
  const live = () =>
    script(({ operation }) => {
      if (operation === 'run') return queued;
      return operation === 'cancel' ? cancelled : running;
    });

  test.each([
    ['unsubscribing', (made: ReturnType<typeof live>, leave: () => void) => leave(), 1_000],
    ['close()', (made: ReturnType<typeof live>) => made.see(made.client.close()), 1_000],
    ['a deadline', () => undefined, 5_000],
  ] as const)('is awaited before the cancel by %s', (_, act, from) => {
    const made = live();
    const refs: unknown[] = [];
    const beforeCancel = (ref: JobRef) => {
      refs.push(ref.id);
      return timer(2_000, made.scheduler);
    };
    const seen = made.see(made.endpoint.job({ input }, { beforeCancel, timeout: 5_000 }).output$);
    made.until(1_000);
    act(made, () => {
      seen.subscription.unsubscribe();
    });
    made.until(from + 1_900);
    expect(refs).toEqual(['job-1']);
    expect(asked(made).cancel).toBeUndefined();
    expect(settled(made)).toBeUndefined();
    made.until(from + 10_000);
    expect(made.sent.find(({ operation }) => operation === 'cancel')?.at).toBeGreaterThanOrEqual(from + 2_000);
    expect(asked(made).cancel).toBe(1);
  });

  test.each<[string, () => Observable<unknown>, number]>([
    ['fails', () => throwError(() => broken), 0],
    ['never completes', () => NEVER, 5_000],
  ])('that %s keeps no job from being cancelled', (_, hook, after) => {
    const errors = unhandled();
    const made = live();
    const seen = made.see(made.endpoint.job({ input }, { beforeCancel: hook }).output$);
    made.until(1_000);
    seen.subscription.unsubscribe();
    made.until(20_000);
    expect(made.sent.find(({ operation }) => operation === 'cancel')?.at).toBeCloseTo(1_000 + after, -1);
    expect(errors).toHaveLength(1);
    expect(settled(made)?.cancelled).toEqual(['job-1']);
  });
});

describe('end$', () => {
  test.each(['COMPLETED', 'FAILED', 'CANCELLED'])('emits the snapshot of a job that is %s, and completes', (status) => {
    const made = script(({ operation }) => (operation === 'run' ? queued : { body: { id: 'job-1', status } }));
    const seen = made.see(made.endpoint.job({ input }).end$);
    made.until(60_000);
    expect(seen.values).toMatchObject([{ status }]);
    expect(seen.ended).toBeDefined();
  });

  test('owns the job, and has its reads held', () => {
    const made = world();
    const seen = made.see(made.endpoint.job({ input }).end$);
    made.until(5_000);
    expect(made.wire('status-sync')).not.toEqual([]);
    seen.subscription.unsubscribe();
    made.until(6_000);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
  });
});

function throwLater(scheduler: SchedulerLike): Observable<never> {
  return new Observable((subscriber) =>
    timer(2_000, scheduler).subscribe(() => {
      subscriber.error(broken);
    }),
  );
}
