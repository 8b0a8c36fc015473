import { EMPTY, catchError, concat, defer, of, tap, throwError, type Observable } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { untilTerminal } from '../operators/untilTerminal.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { JobExecutor, OnBehalf, StatusReader } from '../types/ports.js';
import type { Runner } from './Runner.js';

/** What a pipeline runs its jobs by. */
export interface PipelineRunners<I extends object, O> {
  readonly run: Runner<I, O>;
  /** The runner for an input that comes now. */
  readonly runnerOfInput: () => Runner<I, O>;
}

/** The runner of an endpoint is its `runToEnd`; a runner is taken as it is. */
export function runnerOf<I extends object, O>(runner: JobExecutor<I, O> | Runner<I, O>): Runner<I, O> {
  if (typeof runner === 'function') return runner;
  return Object.assign((request: JobRequest<I>) => runner.runToEnd(request), {
    bindCaller: () => runner.bindCaller?.(),
  });
}

/** A runner whose jobs, whenever they are made, are on behalf of who calls this. */
export function boundRunner<I extends object, O>(runner: Runner<I, O>): Runner<I, O> {
  const onBehalf = runner.bindCaller?.();
  return onBehalf ? (request, index, attempt) => onBehalf(() => runner(request, index, attempt)) : runner;
}

/** Remembers who calls this, for all of these runners. */
export function bindCallers<I extends object, O>(runners: readonly Runner<I, O>[]): OnBehalf | undefined {
  let all: OnBehalf | undefined;
  for (const runner of runners) {
    const outer = all;
    const onBehalf = runner.bindCaller?.();
    all = outer && onBehalf ? (call) => outer(() => onBehalf(call)) : (outer ?? onBehalf);
  }
  return all;
}

/** Tells all of these runners, one after the other, that the result of an input is final and stored. */
export function tellCommitted<I extends object, O>(
  runners: readonly Runner<I, O>[],
): NonNullable<Runner<I, O>['committed']> {
  return (item) => concat(...runners.map(({ committed }) => (committed ? defer(() => committed(item)) : EMPTY)));
}

/**
 * The current snapshot of a job whose last one may be old, since a runner reads a job for its end: what a read says now, or
 * else the last one, where the runner is no endpoint or cannot read.
 */
export function currentSnapshot<I extends object, O>(
  runner: (JobExecutor<I, O> & Partial<StatusReader<O>>) | Runner<I, O>,
  last: JobSnapshot<O> | undefined,
): Observable<JobSnapshot<O> | undefined> {
  if (!last || !('status' in runner) || typeof runner.status !== 'function') return of(last);
  return runner.status(last.id).pipe(catchError(() => of(last)));
}

/** The error for a runner that completes before its job has ended. */
export function incomplete(last: JobSnapshot | undefined): ConfigurationError {
  return new ConfigurationError(
    `the runner completed before the job was over: its last status was ${last?.status ?? 'none'}`,
    { operation: 'run', jobId: last?.id, accepted: 'unknown' },
  );
}

/** Runs a job until its terminal snapshot; errors where the runner completes before. */
export function toEnd<O>(run: () => Observable<JobSnapshot<O>>): Observable<JobSnapshot<O>> {
  return defer(() => {
    let last: JobSnapshot<O> | undefined;
    return concat(
      defer(run),
      throwError(() => incomplete(last)),
    ).pipe(
      tap((snapshot) => (last = snapshot)),
      untilTerminal(),
    );
  });
}
