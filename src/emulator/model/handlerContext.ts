import { timer } from 'rxjs';
import type { HandlerContext, HandlerJob } from '../JobHandler.js';
import type { Submission } from './JobModel.js';
import type { EndpointSettings } from './settings.js';
import type { Assignment } from './WorkerDesk.js';
import { plain } from './workerReport.js';

/** The job as a handler gets it: no key for what was not submitted. */
export function handlerJob(id: string, { input = {}, webhook, policy, s3Config, batchId }: Submission): HandlerJob {
  return {
    id,
    // A copy: what a handler does to its input must not change what the ledger says was submitted.
    input: structuredClone(input),
    ...(webhook !== undefined && { webhook }),
    ...(Object.keys(policy).length > 0 && { policy }),
    ...(s3Config !== undefined && { s3Config }),
    ...(batchId !== undefined && { batchId }),
  };
}

/** What a handler gets beside its job. */
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
      // A handler that was stopped may go on for a while; its worker is no longer there to speak for it.
      if (!signal.aborted) post(plain(value));
    },
    delay: (ms) => timer(ms, scheduler),
    sleep: (ms) =>
      new Promise((resolve, reject) => {
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
