import {
  EMPTY,
  catchError,
  concat,
  defer,
  endWith,
  filter,
  map,
  of,
  takeUntil,
  takeWhile,
  timer,
  type Observable,
} from 'rxjs';
import { isTerminal } from '../protocol/snapshot.js';
import type { CompletedSnapshot, JobSnapshot } from '../types/JobSnapshot.js';
import { deadlineError } from './deadlines.js';
import type { JobContext } from './JobContext.js';
import type { JobTimeout } from './JobOptions.js';
import { isFinal, type JobAction } from './jobReducer.js';
import { requestCancel } from './requestCancel.js';

/** How long the service is asked after a deadline, unless the option `settle` says otherwise, in milliseconds. */
const SETTLE = 5000;

/**
 * Asks the service one last time about a job that has passed a deadline: reads the job, cancels it where it still runs,
 * and reads it again, since it may have completed before the cancel. Emits what happens to the job because of that.
 */
export function expireJob(job: JobContext, deadline: keyof JobTimeout): Observable<JobAction> {
  const { backend, id } = job;
  const cleared = (snapshot: JobSnapshot): JobAction => ({ type: 'deadlineCleared', snapshot });
  const readUnlessLate = (clearsDeadline: (snapshot: JobSnapshot) => boolean) =>
    backend.read(id).pipe(
      backend.checkOutput(),
      filter(clearsDeadline),
      map(cleared),
      catchError((error: unknown) => (isFinal(error) ? of<JobAction>({ type: 'failed', error }) : EMPTY)),
    );
  const cancel$ = defer(() => requestCancel(job, { onlyIfQueued: false })).pipe(
    map(({ snapshot }): JobAction => (isCompleted(snapshot) ? cleared(snapshot) : { type: 'finished' })),
  );
  return concat(
    // A worker that has taken the job meanwhile ends its time in the queue.
    readUnlessLate((snapshot) => isTerminal(snapshot) || (deadline === 'queue' && snapshot.status !== 'IN_QUEUE')),
    cancel$,
    readUnlessLate(isCompleted),
  ).pipe(
    takeWhile(({ type }) => type === 'finished', true),
    takeUntil(timer(job.options.settle ?? SETTLE, job.scheduler)),
    // Has no effect on a job that is over, or whose deadline was cleared.
    endWith<JobAction>({
      type: 'expired',
      error: deadlineError(deadline, job.timeout, job.state, job.context('run')),
    }),
  );
}

function isCompleted(snapshot: JobSnapshot | undefined): snapshot is CompletedSnapshot {
  return snapshot?.status === 'COMPLETED';
}
