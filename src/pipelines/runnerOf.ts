import { concat, defer, takeWhile, throwError, type MonoTypeOperatorFunction, type Observable } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Runner } from '../types/pipelines.js';
import type { JobExecutor } from '../types/ports.js';

/** Makes a runner of what can run jobs to their end. */
export function runnerOf<I extends object, O>(runner: JobExecutor<I, O> | Runner<I, O>): Runner<I, O> {
  return typeof runner === 'function' ? runner : (request) => runner.runToEnd(request);
}

/** The error for a runner that gave up on its job. */
export function incomplete(last: JobSnapshot | undefined): ConfigurationError {
  return new ConfigurationError(
    `the runner completed before the job was over: its last status was ${last?.status ?? 'none'}`,
    { operation: 'run', jobId: last?.id, accepted: 'unknown' },
  );
}

/** Passes snapshots on; the terminal one is the last. */
export function untilOver<O>(): MonoTypeOperatorFunction<JobSnapshot<O>> {
  return takeWhile((snapshot) => !isTerminal(snapshot), true);
}

/** Runs a job to its end; one that is given up before is an error. */
export function toEnd<O>(run: () => Observable<JobSnapshot<O>>): Observable<JobSnapshot<O>> {
  return defer(() => {
    let last: JobSnapshot<O> | undefined;
    return concat(
      defer(run),
      throwError(() => incomplete(last)),
    ).pipe(
      takeWhile((snapshot) => {
        last = snapshot;
        return !isTerminal(snapshot);
      }, true),
    );
  });
}
