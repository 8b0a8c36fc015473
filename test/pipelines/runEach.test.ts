import { NEVER, Subject, concat, finalize, from, range, map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { runEach, type RunEachOptions } from '../../src/pipelines/runEach.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import type { JobRequest } from '../../src/types/JobRequest.js';
import { completed, letters, type Letter } from './letters.js';

/** Runs the requests of a source one at a time; `finish` ends the running job. */
function runOneByOne(source: Observable<JobRequest<Letter>>, options: RunEachOptions<Letter, string>) {
  const jobs: Subject<JobSnapshot<string>>[] = [];
  const seen = { text: '', error: undefined as unknown };
  const subscription = source
    .pipe(
      runEach<Letter, string>(
        () => {
          const job$ = new Subject<JobSnapshot<string>>();
          jobs.push(job$);
          return job$;
        },
        { concurrency: 1, ...options },
      ),
    )
    .subscribe({
      next: (item) => {
        const { letter } = item.request.input;
        seen.text += item.ok ? letter : letter.toUpperCase();
        if (!item.ok) expect(item).toMatchObject({ attempts: 0, error: { code: 'buffer_overflow', accepted: 'no' } });
      },
      error: (error: unknown) => Object.assign(seen, { error, text: `${seen.text}#` }),
      complete: () => (seen.text += '|'),
    });
  const finish = () => jobs.find(({ observed }) => observed)!.next(completed('x'));
  return {
    seen,
    finish,
    subscription,
    started: () => jobs.length,
    running: () => jobs.filter(({ observed }) => observed).length,
  };
}

describe('runEach', () => {
  it('S24 runs requests, buffers those that cannot start, and completes when all jobs have ended', () => {
    const source = new Subject<JobRequest<Letter>>();
    const { seen, finish, started } = runOneByOne(source, { buffer: 2 });
    for (const request of letters('abc')) source.next(request);
    source.complete();
    expect(started()).toBe(1);
    for (let count = 0; count < 3; count++) finish();
    expect(seen.text).toBe('abc|');
  });

  it('S24 by default unsubscribes from its source when the buffer overflows, and errors when all earlier jobs have ended', () => {
    const source = new Subject<JobRequest<Letter>>();
    const { seen, finish } = runOneByOne(source, { buffer: 1 });
    for (const request of letters('abc')) source.next(request);
    expect([seen.text, source.observed]).toEqual(['C', false]);
    finish();
    finish();
    expect(seen.text).toBe('Cab#');
    expect(seen.error).toMatchObject({ code: 'buffer_overflow' });
  });

  it('S24 makes a failed item of the oldest waiting request, or of the newest', () => {
    for (const [overflow, text] of [
      ['drop-oldest', 'BCade|'],
      ['drop-newest', 'DEabc|'],
    ] as const) {
      const { seen, finish } = runOneByOne(from(letters('abcde')), { buffer: 2, overflow });
      for (let count = 0; count < 3; count++) finish();
      expect(seen.text).toBe(text);
    }
  });

  it('unsubscribes from a synchronous source during an overflow', () => {
    let given = 0;
    const endless = range(0, 1_000_000).pipe(
      map(() => {
        given++;
        return letters('a')[0]!;
      }),
    );
    const { subscription } = runOneByOne(endless, { buffer: 3 });
    expect(given).toBeLessThan(10);
    subscription.unsubscribe();
  });

  it('S24 unsubscribes from a source that never ends after a synchronous overflow', () => {
    let closed = false;
    const source = concat(from(letters('abc')), NEVER).pipe(finalize(() => (closed = true)));
    runOneByOne(source, { buffer: 1 });
    expect(closed).toBe(true);
  });

  it('S24 buffers a hundred requests by default', () => {
    const source = new Subject<JobRequest<Letter>>();
    const { seen } = runOneByOne(source, {});
    for (const request of letters('a'.repeat(101))) source.next(request);
    expect(seen.text).toBe('');
    source.next(letters('b')[0]!);
    expect(seen.text).toBe('B');
  });

  it('passes the error of its source on when all its requests were run', () => {
    const source = new Subject<JobRequest<Letter>>();
    const { seen, finish } = runOneByOne(source, {});
    for (const request of letters('ab')) source.next(request);
    source.error(new Error('source'));
    finish();
    finish();
    expect([seen.text, seen.error]).toEqual(['ab#', new Error('source')]);
  });

  it('S24 under stop, emits a failed item for each waiting request', () => {
    const source = new Subject<JobRequest<Letter>>();
    const job$ = new Subject<JobSnapshot<string>>();
    const items: unknown[] = [];
    source
      .pipe(runEach<Letter, string>(() => job$, { concurrency: 1, onError: 'stop' }))
      .subscribe({ next: (item) => items.push(item), error: (error: unknown) => items.push(error) });
    for (const request of letters('ab')) source.next(request);
    const broken = new Error('broken');
    job$.error(broken);
    expect(items).toMatchObject([
      { index: 0, error: broken },
      { index: 1, attempts: 0, error: { code: 'aborted', accepted: 'no', cause: broken } },
      broken,
    ]);
    expect(source.observed).toBe(false);
  });

  it('S24 unsubscribing unsubscribes from the source, and cancels the jobs in flight', () => {
    const source = new Subject<JobRequest<Letter>>();
    const { subscription, running } = runOneByOne(source, {});
    for (const request of letters('ab')) source.next(request);
    subscription.unsubscribe();
    expect([source.observed, running()]).toEqual([false, 0]);
  });
});
