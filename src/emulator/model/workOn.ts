import { Subscription, finalize, takeWhile } from 'rxjs';
import { handlerContext, handlerJob } from './handlerContext.js';
import { raised } from './pythonError.js';
import { runHandler } from './runHandler.js';
import type { EndpointSettings } from './settings.js';
import type { Assignment, WorkerDesk } from './WorkerDesk.js';

/** Whether the worker SDK refuses the job: it requires an `input`, and the platform leaves an empty input out. */
export function isIncomplete({ job: { submission } }: Assignment): boolean {
  return !submission.input || Object.keys(submission.input).length === 0;
}

/**
 * Runs the endpoint's handler on a job until the run ends, and posts the handler's events to the desk. Unsubscribing stops
 * the handler without a report, like a worker that disappears.
 */
export function workOn(
  assignment: Assignment,
  settings: EndpointSettings,
  desk: WorkerDesk,
  free: () => void,
): Subscription {
  const { job, run } = assignment;
  const { workerId } = run;
  const controller = new AbortController();
  const working = new Subscription();
  run.lifetime.add(working);
  // Added before the handler's subscription, so that a teardown in the handler can check `signal.aborted`.
  working.add(() => {
    if (run.outcome !== 'reported') controller.abort();
  });
  const context = handlerContext(settings, assignment, controller.signal, (value) => desk.progress(assignment, value));
  const work = (): unknown => settings.handler(handlerJob(job.id, job.submission), context);
  const { stream, aggregate, variants, scheduler, virtual } = settings;
  working.add(
    runHandler(work, { workerId, stream, aggregate, streamed: variants.streamed, scheduler, virtual })
      .pipe(
        // Stops a generator that never waits, which would otherwise run on inside one `next` loop.
        takeWhile(({ kind }) => kind === 'done' || !working.closed),
        finalize(free),
      )
      .subscribe({
        next: (event) => {
          if (event.kind === 'chunk') desk.chunk(assignment, event.value);
          else desk.done(assignment, event.report);
        },
        error: (error: unknown) => desk.done(assignment, { error: raised(error, workerId) }),
      }),
  );
  return working;
}
