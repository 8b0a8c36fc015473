import { retry, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { Job, JobOptions } from 'runpod-rx';
import { script, type Answer, type Script } from '../support/world.js';
import { asked, expectSilence, look, nothing, owning, settled, starting } from './support.js';

const input = { x: 1 };
const queued = { id: 'job-1', status: 'IN_QUEUE' };

/** Every way for a submission to fail, with the requests that it costs. */
const failures: Record<string, { run: Answer; code: string; accepted: 'no' | 'unknown'; sent?: number }> = {
  'refused with 400': { run: { status: 400, body: { error: 'no' } }, code: 'http', accepted: 'no' },
  'refused with 401': { run: { status: 401 }, code: 'authentication', accepted: 'no' },
  'refused with 404': {
    run: { status: 404, body: { detail: 'endpoint not found' } },
    code: 'not_found',
    accepted: 'no',
  },
  'refused with 413': { run: { status: 413 }, code: 'body_too_large', accepted: 'no' },
  'a 429 that goes on': { run: { status: 429 }, code: 'rate_limit', accepted: 'no', sent: 4 },
  'a 429 that asks for too long': {
    run: { status: 429, headers: { 'retry-after': '3600' } },
    code: 'rate_limit',
    accepted: 'no',
  },
  'never connected': { run: { phase: 'connect' }, code: 'connection', accepted: 'no', sent: 4 },
  'its connection lost': { run: { phase: 'sent' }, code: 'submission_unknown', accepted: 'unknown' },
  'no answer': { run: 'never', code: 'submission_unknown', accepted: 'unknown' },
  'answered with 408': { run: { status: 408 }, code: 'submission_unknown', accepted: 'unknown' },
  'answered with 502': { run: { status: 502 }, code: 'submission_unknown', accepted: 'unknown' },
  'answered with 200 without an id': {
    run: { body: { status: 'IN_QUEUE' } },
    code: 'submission_unknown',
    accepted: 'unknown',
  },
  'answered with 200 that is cut': { run: { body: '{"id":"jo' }, code: 'submission_unknown', accepted: 'unknown' },
};

const isFailure = (answer: Answer) => typeof answer === 'object' && 'phase' in answer;

describe.each(Object.entries(failures))('S1 a submission that failed: %s', (_, { run, code, accepted, sent = 1 }) => {
  const failing = (options: JobOptions = {}): Script & { job: Job } => {
    const made = script(({ operation }) => (operation === 'run' ? run : { body: queued }));
    return { ...made, job: made.endpoint.job({ input }, { tag: 'mine', ...options }) };
  };

  test('is the error of every view, is final, and is replayed to late subscribers', () => {
    const made = failing();
    const first = look(made, made.job, ...starting);
    made.until(1_000_000);
    const late = look(made, made.job, ...starting);
    for (const { ended } of Object.values(late)) expect(ended).toBeUndefined();
    made.until(2_000_000);
    for (const seen of [...Object.values(first), ...Object.values(late)])
      expect(seen.error).toMatchObject({ code, accepted, operation: 'run', endpointId: 'demo', tag: 'mine' });
    expect(asked(made)).toEqual({ run: sent });
    expect(settled(made)).toEqual(nothing);
    expectSilence(made);
  });

  test('is never submitted again under retry(), however often', () => {
    const made = failing();
    let errors = 0;
    const again = made.see(
      made.job.output$.pipe(
        retry({
          count: 50,
          delay: () => {
            errors++;
            return timer(10_000, made.scheduler);
          },
        }),
      ),
    );
    made.until(10_000_000);
    expect(errors).toBe(50);
    expect(again.error).toMatchObject({ code });
    expect(asked(made)).toEqual({ run: sent });
    expectSilence(made);
  });

  test('cancel() has nothing to cancel, and reports the error', () => {
    const made = failing();
    made.see(made.job.output$);
    made.until(1_000_000);
    const report = made.see(made.job.cancel());
    const ref = made.see(made.job.detach());
    made.until(2_000_000);
    expect(report.error).toMatchObject({ code });
    expect(ref.error).toMatchObject({ code });
    expect(asked(made)).toEqual({ run: sent });
  });

  test('abandoned while it is on its way: nothing is sent again, and nothing cancelled', () => {
    const made = script(({ operation }) =>
      operation !== 'run'
        ? { body: queued }
        : typeof run === 'object' && !('phase' in run)
          ? { ...run, after: 1_000 }
          : run,
    );
    const job = made.endpoint.job({ input });
    const { subscription } = made.see(job.output$);
    made.until(500);
    const before = asked(made);
    subscription.unsubscribe();
    made.until(1_000_000);
    expect(Object.keys(before)).toEqual(['run']);
    expect(asked(made)).toEqual(before);
    // Where the connection is lost at once, the view was told before it was unsubscribed from.
    const lost = accepted === 'unknown' && !isFailure(run) ? ['run'] : [];
    expect(settled(made)).toEqual({ ...nothing, lost });
    expectSilence(made);
  });
});

describe('S20 an invalid request or option', () => {
  test.each<[string, object, JobOptions, string]>([
    ['an input that is no object', { input: 7 }, {}, 'input'],
    ['an empty input', { input: {} }, {}, 'input'],
    ['a policy out of bounds', { input, policy: { ttl: 1 } }, {}, 'ttl'],
    ['a grace below zero', { input }, { grace: -1 }, 'grace'],
    ['a timeout that is no number', { input }, { timeout: NaN }, 'timeout'],
  ])('%s: every view errors, names the field, and nothing is sent', (_, request, options, field) => {
    const made = script(() => ({ body: queued }));
    const views = look(made, made.endpoint.job(request as never, options), ...starting);
    for (const { ended } of Object.values(views)) expect(ended).toBeUndefined();
    made.until(100_000);
    for (const { error } of Object.values(views)) {
      expect(error).toMatchObject({ code: 'validation' });
      expect((error as Error).message).toContain(field);
    }
    expect(asked(made)).toEqual({});
    expectSilence(made);
  });

  test('beforeSubmit that errors: nothing is sent, now or later', () => {
    const made = script(() => ({ body: queued }));
    let calls = 0;
    const job = made.endpoint.job(
      { input },
      {
        beforeSubmit: () => {
          calls++;
          throw new Error('the store is full');
        },
      },
    );
    const first = look(made, job, ...starting);
    made.until(1_000);
    const late = look(made, job, ...starting);
    made.until(100_000);
    for (const seen of [...Object.values(first), ...Object.values(late)]) {
      expect(seen.error).toBeInstanceOf(Error);
      expect(seen.values).toEqual([]);
    }
    expect(calls).toBe(1);
    expect(asked(made)).toEqual({});
  });
});

describe('S3 errors of a job', () => {
  test.each<[string, Answer, string]>([
    ['failed', { body: { ...queued, status: 'FAILED', error: 'bad' } }, 'job_failed'],
    ['was cancelled', { body: { ...queued, status: 'CANCELLED' } }, 'job_cancelled'],
    ['timed out', { body: { ...queued, status: 'TIMED_OUT' } }, 'job_timed_out'],
    ['is gone', { status: 404 }, 'job_expired'],
  ])('that %s: output$ has a final error with the job’s id and tag, and nothing is read again', (_, answer, code) => {
    const made = script(({ operation }) => (operation === 'run' ? { body: queued } : answer));
    const job = made.endpoint.job({ input }, { tag: 'mine' });
    const views = look(made, job, ...owning);
    made.until(100_000);
    const before = asked(made);
    const late = look(made, job, ...owning);
    made.until(200_000);
    for (const { output$, state$ } of [views, late]) {
      expect(output$.error).toMatchObject({ code, jobId: 'job-1', tag: 'mine' });
      // On state$ the end is data.
      if (code === 'job_expired') expect(state$.error).toMatchObject({ code });
      else expect(state$).not.toHaveProperty('error');
    }
    expect(asked(made)).toEqual(before);
    expect(before).not.toHaveProperty('cancel');
    expect(settled(made)).toEqual(nothing);
    expectSilence(made);
  });
});
