import { EMPTY, catchError, concat, defer, merge, tap, type Observable } from 'rxjs';
import { isRunpodError, type JobRequest } from 'runpod-rx';
import type { Stage } from './Stage.js';
import { health } from './steps/health.js';
import { showChunks } from './steps/write.js';
import { showStates } from './words.js';

const LONGEST = 4000;

/** The steps of the tour with a job of the user's, on the endpoint that the environment names. */
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
          // How the job ended is told by its states and its output; a stream that cannot be read is no reason to stop it.
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
