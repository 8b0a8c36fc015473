import { Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { runnerOf, toEnd } from '../../src/pipelines/runnerOf.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job } from '../fixtures/snapshots.js';
import { completed } from './letters.js';

const queued = job('IN_QUEUE', { id: 'j' }) as JobSnapshot<string>;

function read(job$: Observable<JobSnapshot<string>>): unknown[] {
  const seen: unknown[] = [];
  job$.subscribe({
    next: (snapshot) => seen.push(snapshot),
    error: (error: unknown) => seen.push(error),
    complete: () => seen.push('complete'),
  });
  return seen;
}

describe('runnerOf', () => {
  it('runs jobs by the runToEnd of an endpoint', () => {
    const requests: unknown[] = [];
    const endpoint = {
      runToEnd: (request: { input: object }) => {
        requests.push(request);
        return of(completed('a'));
      },
    };
    const request = { input: { n: 1 } };
    expect(read(runnerOf(endpoint)(request, 0))).toEqual([completed('a'), 'complete']);
    expect(requests).toEqual([request]);
  });

  it('takes a function as it is', () => {
    const runner = () => of(completed('a'));
    expect(runnerOf(runner)).toBe(runner);
  });
});

describe('toEnd', () => {
  it('completes after the terminal snapshot, and unsubscribes from the runner', () => {
    let closed = false;
    const run = () =>
      new Observable<JobSnapshot<string>>((subscriber) => {
        subscriber.next(completed('a'));
        return () => (closed = true);
      });
    expect([read(toEnd(run)), closed]).toEqual([[completed('a'), 'complete'], true]);
  });

  it('errors where the runner completes before, and names the job and its last status', () => {
    expect(read(toEnd(() => of(queued)))).toEqual([
      queued,
      expect.objectContaining({
        code: 'configuration',
        jobId: 'j',
        message: expect.stringContaining('IN_QUEUE') as string,
      }),
    ]);
  });
});
