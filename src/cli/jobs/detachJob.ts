import { map, of, type Observable } from 'rxjs';
import type { Job } from '../../index.js';
import type { Session } from './Session.js';
import type { GoesOn } from './Work.js';

/** Has a job go on without this process, if it was sent; says how to follow it again. Acts at the call. */
export function detachJob(session: Session, job: Job | undefined, endpointId: string): Observable<GoesOn> {
  // What was not sent is withdrawn.
  if (!job || !session.mayHaveJob) return notSent();
  return job.detach().pipe(map(({ id }) => goesOn(endpointId, id)));
}

/** Says how to follow a job that goes on. */
export function goesOn(endpointId: string, jobId: string): GoesOn {
  return { message: `the job goes on; follow it: runpod-rx watch ${endpointId} ${jobId}`, jobId };
}

export function notSent(): Observable<GoesOn> {
  return of({ message: 'no job was sent' });
}
