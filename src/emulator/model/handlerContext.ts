import { timer } from 'rxjs';
import { assertDuration } from '../checkOptions.js';
import type { HandlerContext, HandlerJob } from '../JobHandler.js';
import type { Submission } from './JobModel.js';
import type { EndpointSettings } from './settings.js';
import type { Assignment } from './WorkerDesk.js';
import { plain } from './workerReport.js';

/** The job as a handler gets it: members that were not submitted are absent. */
export function handlerJob(id: string, { input = {}, webhook, policy, s3Config, batchId }: Submission): HandlerJob {
  return {
    id,
    // A copy, so that a handler that changes its input does not change the ledger.
    input: plain(input) as HandlerJob['input'],
    ...(webhook !== undefined && { webhook }),
    ...(Object.keys(policy).length > 0 && { policy }),
    ...(s3Config !== undefined && { s3Config }),
    ...(batchId !== undefined && { batchId }),
  };
}

/** The second argument of a handler. */
export function handlerContext(
  settings: EndpointSettings,
  { job, run }: Assignment,
  signal: AbortSignal,
  post: (value: unknown) => unknown,
): HandlerContext {
  const { scheduler, id: endpointId } = settings;
  const { workerId } = run;
  return {
    endpointId,
    workerId,
    attempt: job.runs.length,
    scheduler,
    signal,
    progress: (value) => {
      // A stopped handler may run on for a while; its progress is ignored.
      if (!signal.aborted) post(plain(value));
    },
    delay: (ms) => {
      assertDuration(ms, 'delay');
      return timer(ms, scheduler);
    },
    sleep: (ms) =>
      new Promise((resolve, reject) => {
        assertDuration(ms, 'sleep');
        const stop = (): void => {
          waiting.unsubscribe();
          reject(signal.reason as Error); // AbortController makes it one
        };
        const waiting = scheduler.schedule(() => {
          signal.removeEventListener('abort', stop);
          resolve();
        }, ms);
        if (signal.aborted) stop();
        else signal.addEventListener('abort', stop, { once: true });
      }),
    log: (...parts) => settings.log({ at: scheduler.now(), endpointId, jobId: job.id, workerId, parts }),
  };
}
