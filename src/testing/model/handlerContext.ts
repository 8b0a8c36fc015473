import { timer } from 'rxjs';
import type { HandlerContext } from '../JobHandler.js';
import type { EndpointSettings } from './settings.js';
import type { Assignment } from './WorkerDesk.js';
import { plain } from './workerReport.js';

/** What a handler gets beside its job. */
export function handlerContext(
  settings: EndpointSettings,
  { job, run }: Assignment,
  signal: AbortSignal,
  post: (value: unknown) => void,
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
      if (!signal.aborted) post(plain(value) ?? null);
    },
    delay: (ms) => timer(ms, scheduler),
    sleep: (ms) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason as unknown);
          return;
        }
        const stop = (): void => {
          waiting.unsubscribe();
          reject(signal.reason as unknown);
        };
        const waiting = timer(ms, scheduler).subscribe(() => {
          signal.removeEventListener('abort', stop);
          resolve();
        });
        signal.addEventListener('abort', stop, { once: true });
      }),
    log: (...parts) => settings.log({ at: scheduler.now(), endpointId, jobId: job.id, workerId, parts }),
  };
}
