import { of, switchMap } from 'rxjs';
import { EXIT } from './exitCodes.js';
import { followJob } from './followJob.js';
import type { Session, SessionOptions } from './Session.js';
import { Submission } from './Submission.js';
import type { Work } from './Work.js';

/** Options of `runpod-rx retry`. */
export interface RetryOptions extends SessionOptions {
  /** Whether the command ends as soon as the job is queued again. */
  readonly detach?: boolean;
}

/** `runpod-rx retry`: has a job that FAILED or TIMED_OUT run again, and follows it. Once it is queued, leaving does nothing to it. */
export function retryJob(session: Session, endpointId: string, id: string, { detach }: RetryOptions): Work {
  const endpoint = session.client.endpoint(endpointId);
  const submission = new Submission(session, endpointId);
  const exitCode$ = submission.send(endpoint.retry(id)).pipe(
    switchMap(({ raw }) => {
      if (!detach) return followJob(session, endpoint.attach(id));
      session.print(session.json ? raw : id);
      return of(EXIT.done);
    }),
  );
  return { exitCode$, detach: () => submission.detach() };
}
