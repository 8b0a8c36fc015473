import { map, switchMap } from 'rxjs';
import type { Job, JobOptions } from '../../index.js';
import { paint } from '../Text.js';
import { detachJob } from './detachJob.js';
import { EXIT } from './exitCodes.js';
import { followJob } from './followJob.js';
import { readInput, type InputOptions } from './readInput.js';
import type { Session, SessionOptions } from './Session.js';
import { Submission } from './Submission.js';
import type { Work } from './Work.js';

/** Options of `runpod-rx run`; all durations in milliseconds. */
export interface RunOptions extends SessionOptions, InputOptions {
  /** Whether the chunks are the output. */
  readonly stream?: boolean;
  /** Whether the command ends as soon as the job is submitted. */
  readonly detach?: boolean;
  /** The job is cancelled after this time. */
  readonly timeout?: number;
  /** The service calls it when the job is over. */
  readonly webhook?: string;
  /** Whether the job starts no further worker. */
  readonly lowPriority?: boolean;
}

/** `runpod-rx run`: submits a job and follows it to its end. Leaving cancels the job. */
export function runJob(session: Session, endpointId: string, json: string | undefined, options: RunOptions): Work {
  const { stream = false, detach = false, timeout, webhook, lowPriority } = options;
  const endpoint = session.client.endpoint(endpointId);
  const request$ = readInput(json, options, session.stdin, (doubt) => {
    session.say(doubt);
  }).pipe(
    map((input) => ({
      input,
      ...(webhook !== undefined && { webhook }),
      ...(lowPriority && { policy: { lowPriority } }),
    })),
  );
  if (detach) {
    const submission = new Submission(session, endpointId);
    const exitCode$ = request$.pipe(
      switchMap((request) => submission.send(endpoint.run(request))),
      map(({ id, raw }) => {
        session.print(session.json ? raw : id);
        session.say(paint('dim', `follow it: runpod-rx watch ${endpointId} ${id}`));
        return EXIT.done;
      }),
    );
    return { exitCode$, detach: () => submission.detach() };
  }
  const jobOptions: JobOptions = { stream, ...(timeout !== undefined && { timeout }) };
  let job: Job | undefined;
  const exitCode$ = request$.pipe(
    switchMap((request) => {
      job = endpoint.job(request, jobOptions);
      return followJob(session, job, { withoutResult: stream });
    }),
  );
  return {
    exitCode$,
    // Without an id, there is nothing to cancel, or its answer is waited for.
    leaving: () => (session.hasSubmitted ? 'cancelling the job' : undefined),
    detach: () => detachJob(session, job, endpointId),
  };
}
