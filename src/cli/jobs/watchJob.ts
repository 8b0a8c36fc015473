import { followJob } from './followJob.js';
import type { Session } from './Session.js';
import type { Work } from './Work.js';

/** `runpod-rx watch`: follows a job to its end, and writes its output. Leaving does nothing to the job. */
export function watchJob(session: Session, endpointId: string, id: string): Work {
  return { exitCode$: followJob(session, session.client.endpoint(endpointId).attach(id)) };
}

/** `runpod-rx stream`: writes the chunks of a job as they come. Leaving does nothing to the job. */
export function streamJob(session: Session, endpointId: string, id: string): Work {
  const job = session.client.endpoint(endpointId).attach(id, { stream: true });
  return { exitCode$: followJob(session, job, { withoutResult: true }) };
}
