import { EMPTY, catchError, type Observable } from 'rxjs';
import { isRunpodError } from 'runpod-rx';
import { jobOutput } from 'runpod-rx/operators';
import type { Stage } from '../Stage.js';
import { showStates } from '../words.js';

/** A job whose handler throws. `state$` gives that as data; `jobOutput` turns it into an error. */
export function fail({ client, screen }: Stage): Observable<unknown> {
  const endpoint = client.endpoint<{ bill: string }, { total: number }>('accountant');
  const bill = 'Rope: 12.50\nLamp oil: 8\nBread: 3,2o\nInk: 4.75';
  return endpoint.job({ input: { bill } }).state$.pipe(
    showStates(screen),
    jobOutput(),
    catchError((error: unknown) => {
      if (!isRunpodError(error, 'job_failed')) throw error;
      const { message, type, workerId } = error.snapshot.error;
      screen.line(`    cause   ${screen.style(message, 'red')}`);
      screen.line(`    raised  ${type ?? '?'}, on worker ${workerId ?? '?'}`);
      screen.line(`    error   ${error.name}, code '${error.code}'`);
      return EMPTY;
    }),
  );
}
