import { EMPTY, catchError, concat, connect, defer, first, merge, mergeMap, tap, type Observable } from 'rxjs';
import { isRunpodError, type JobRequest } from 'runpod-rx';
import { jobOutput } from 'runpod-rx/operators';
import { ownJob } from './ownJob.js';
import type { Stage } from './Stage.js';
import { health } from './steps/health.js';
import { showStates } from './words.js';

const LONGEST = 4000;

/** The steps of the tour with a job of the user's, on the endpoint that the environment names. */
export function service(stage: Stage, request: JobRequest): Observable<unknown> {
  const { client, screen, cancelling } = stage;
  const endpoint = client.endpoint();

  const chunks = (id: string) =>
    endpoint.stream(id).pipe(
      tap((chunk) => screen.text(typeof chunk === 'string' ? chunk : `${JSON.stringify(chunk)} `)),
      catchError((error: unknown) => {
        // How the job ended is told by its states and its output; a stream that cannot be read is no reason to stop it.
        if (!isRunpodError(error) || !error.code.startsWith('job_')) screen.line(`  ${String(error)}`);
        return EMPTY;
      }),
    );

  const job$ = ownJob(endpoint, request, cancelling).pipe(
    showStates(screen),
    connect((snapshot$) =>
      merge(
        snapshot$.pipe(
          tap((job) => {
            if ('progress' in job) screen.line(`    progress  ${textOf(job.progress)}`);
          }),
          jobOutput(),
          tap((output) => screen.line(`    output  ${textOf(output)}`)),
        ),
        snapshot$.pipe(
          first(({ status }) => status !== 'IN_QUEUE'),
          mergeMap(({ id }) => chunks(id)),
        ),
      ),
    ),
  );

  const step = (title: string, shown$: Observable<unknown>) =>
    defer(() => {
      screen.title(title);
      return shown$;
    });
  return concat(step(`A job on ${endpoint.id ?? '?'}`, job$), step('Health', health(stage, [endpoint.id])));
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? 'none' : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} … (${text.length} characters)` : text;
}
