import { EMPTY, catchError, concat, defer, merge, tap, type Observable } from 'rxjs';
import { isRunpodError, type JobRequest } from 'runpod-rx';
import type { Stage } from './Stage.js';
import { health } from './steps/health.js';
import { showChunks } from './steps/write.js';
import { showStates } from './words.js';

const LONGEST = 4000;

/** Runs a job of the user's on the endpoint that the environment names, and shows all views of it. */
export function service(stage: Stage, request: JobRequest): Observable<unknown> {
  const { client, screen } = stage;
  const endpoint = client.endpoint();

  const shown$ = defer(() => {
    const job = endpoint.job(request);
    return merge(
      job.state$.pipe(showStates(screen)),
      job.progress$.pipe(tap((progress) => screen.line(`    progress  ${textOf(progress)}`))),
      job.output$.pipe(tap((output) => screen.line(`    output  ${textOf(output)}`))),
      showChunks(screen, job).pipe(
        catchError((error: unknown) => {
          // The states and the output show how the job ended. A stream that cannot be read must not end the job.
          if (!isRunpodError(error) || !error.code.startsWith('job_')) screen.line(`  ${String(error)}`);
          return EMPTY;
        }),
      ),
    );
  });

  const step = (title: string, what$: Observable<unknown>) =>
    defer(() => {
      screen.title(title);
      return what$;
    });
  return concat(step(`A job on ${endpoint.id ?? '?'}`, shown$), step('Health', health(stage, [endpoint.id])));
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? 'none' : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} … (${text.length} characters)` : text;
}
