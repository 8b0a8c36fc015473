import { NEVER, Subject, concat, finalize, from, range, map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { runEach, type RunEachOptions } from '../../src/pipelines/runEach.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import type { JobRequest } from '../../src/types/JobRequest.js';
import { completed, letters } from './letters.js';

type Letter = { letter: string };

/** Runs what comes one at a time; a job ends when the test says so. */
function stage(source: Observable<JobRequest<Letter>>, options: RunEachOptions<Letter, string>) {
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
    begun: () => jobs.length,
    live: () => jobs.filter(({ observed }) => observed).length,
  };
}

describe('runEach', () => {
  it('S24 runs what comes, holds what does not fit in a buffer, and completes when all has run', () => {
    const source = new Subject<JobRequest<Letter>>();
    const { seen, finish, begun } = stage(source, { buffer: 2 });
    for (const request of letters('abc')) source.next(request);
    source.complete();
    expect(begun()).toBe(1);
    for (let count = 0; count < 3; count++) finish();
    expect(seen.text).toBe('abc|');
  });

  it('S24 errors by default when the buffer is full, after all that was taken has run, and leaves its source', () => {
    const source = new Subject<JobRequest<Letter>>();
    const { seen, finish } = stage(source, { buffer: 1 });
    for (const request of letters('abc')) source.next(request);
    expect([seen.text, source.observed]).toEqual(['C', false]);
    finish();
    finish();
    expect(seen.text).toBe('Cab#');
    expect(seen.error).toMatchObject({ code: 'buffer_overflow' });
  });

  it('S24 drops the oldest that waits, or the newest, and says so', () => {
    for (const [overflow, text] of [
      ['drop-oldest', 'BCade|'],
      ['drop-newest', 'DEabc|'],
    ] as const) {
      const { seen, finish } = stage(from(letters('abcde')), { buffer: 2, overflow });
      for (let count = 0; count < 3; count++) finish();
      expect(seen.text).toBe(text);
    }
  });

  it('leaves a source that has more at once than there is room for', () => {
    let given = 0;
    const endless = range(0, 1_000_000).pipe(
      map(() => {
        given++;
        return letters('a')[0]!;
      }),
    );
    const { subscription } = stage(endless, { buffer: 3 });
    expect(given).toBeLessThan(10);
    subscription.unsubscribe();
  });

  it('S24 leaves a source that gave too much at once, and has no more to say', () => {
    let left = false;
    const source = concat(from(letters('abc')), NEVER).pipe(finalize(() => (left = true)));
    stage(source, { buffer: 1 });
    expect(left).toBe(true);
  });

  it('S24 lets a hundred wait where nothing is said', () => {
    const source = new Subject<JobRequest<Letter>>();
    const { seen } = stage(source, {});
    for (const request of letters('a'.repeat(101))) source.next(request);
    expect(seen.text).toBe('');
    source.next(letters('b')[0]!);
    expect(seen.text).toBe('B');
  });

  it('gives the error of its source when all that it gave has run', () => {
    const source = new Subject<JobRequest<Letter>>();
    const { seen, finish } = stage(source, {});
    for (const request of letters('ab')) source.next(request);
    source.error(new Error('source'));
    finish();
    finish();
    expect([seen.text, seen.error]).toEqual(['ab#', new Error('source')]);
  });

  it('S24 under stop, what waits is told that it was not run', () => {
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

  it('S24 leaving leaves the source, and what is in flight', () => {
    const source = new Subject<JobRequest<Letter>>();
    const { subscription, live } = stage(source, {});
    for (const request of letters('ab')) source.next(request);
    subscription.unsubscribe();
    expect([source.observed, live()]).toEqual([false, 0]);
  });
});
