import { NEVER, Subject, VirtualTimeScheduler, config, of, throwError } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failover, hedge, runAll, type JobSnapshot, type PipelineItem } from 'runpod-rx';
import { completed, letters } from './letters.js';

const broken = new Error('a callback throws');
const fail = () => {
  throw broken;
};
const request = letters('a')[0]!;

describe('S24 a callback of a pipeline that throws, or returns nonsense', () => {
  it.each<[string, number]>([
    ['NaN', NaN],
    ['a negative number', -1],
    ['text', '5' as never],
    ['nothing', undefined as never],
  ])('ends the pipeline where retry.delay returns %s, and submits nothing more', (_, delay) => {
    const scheduler = new VirtualTimeScheduler();
    let runs = 0;
    const runner = () => {
      runs++;
      return throwError(() => broken);
    };
    let seen: unknown;
    const retry = { count: 5, delay: () => delay, on: () => true };
    runAll(runner, letters('a'), { retry, scheduler }).subscribe({ error: (error: unknown) => (seen = error) });
    scheduler.flush();
    expect(seen).toMatchObject({ code: 'configuration', message: expect.stringMatching(/^retry\.delay is/) as string });
    expect(runs).toBe(1);
  });

  it.each(['on', 'delay'] as const)('ends the pipeline with its error where retry.%s throws', (name) => {
    let seen: unknown;
    const retry = { count: 5, on: () => true, [name]: fail };
    runAll(() => throwError(() => new Error('failed')), letters('ab'), { retry }).subscribe({
      error: (error: unknown) => (seen = error),
    });
    expect(seen).toBe(broken);
  });

  it('fails one item where the runner throws, and runs the others', () => {
    const items: PipelineItem<{ letter: string }, string>[] = [];
    const runner = ({ input: { letter } }: { input: { letter: string } }) =>
      letter === 'a' ? fail() : of(completed(letter));
    runAll(runner, letters('abc'), { concurrency: 1 }).subscribe((item) => items.push(item));
    expect(items.map(({ ok }) => ok)).toEqual([false, true, true]);
    expect(items[0]).toMatchObject({ error: broken });
  });
});

describe('S1 a callback of hedge or failover that throws', () => {
  it('hedge: onError costs no result, and the error is reported as unhandled', () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    onTestFinished(() => {
      config.onUnhandledError = null;
    });
    const scheduler = new VirtualTimeScheduler();
    const first = new Subject<JobSnapshot<string>>();
    const jobs = [first, throwError(() => new Error('the second fails'))];
    const seen: JobSnapshot<string>[] = [];
    const runner = hedge(() => jobs.shift()!, { after: 10, onError: fail, scheduler });
    runner(request, 0).subscribe((snapshot) => seen.push(snapshot));
    scheduler.flush();
    first.next(completed('a'));
    expect(seen).toMatchObject([{ status: 'COMPLETED' }]);
    expect(unhandled).toEqual([broken]);
  });

  it('hedge: `on` costs no result, submits nothing, and onError receives what it threw', () => {
    const scheduler = new VirtualTimeScheduler();
    const first = new Subject<JobSnapshot<string>>();
    let runs = 0;
    const runner = () => {
      runs++;
      return first;
    };
    const seen: JobSnapshot<string>[] = [];
    const told: unknown[] = [];
    const options = { after: 10, on: fail, onError: (error: unknown) => told.push(error), scheduler };
    hedge(runner, options)(request, 0).subscribe((snapshot) => seen.push(snapshot));
    scheduler.flush();
    expect([told, runs]).toEqual([[broken], 1]);
    first.next(completed('a'));
    expect(seen).toMatchObject([{ status: 'COMPLETED' }]);
  });

  it.each(['on', 'onError'] as const)('failover: the error of `%s` is the cause of the item’s error', (name) => {
    let others = 0;
    const other = () => {
      others++;
      return NEVER;
    };
    let seen: unknown;
    const options = { on: () => true, [name]: fail };
    failover([() => throwError(() => new Error('refused')), other], options)(request, 0).subscribe({
      error: (e: unknown) => (seen = e),
    });
    expect(seen).toMatchObject({ code: 'configuration', cause: broken });
    expect(others).toBe(0);
  });
});
