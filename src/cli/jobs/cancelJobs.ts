import { concatMap, from, map, max, tap } from 'rxjs';
import { line, paint } from '../Text.js';
import { EXIT } from './exitCodes.js';
import type { Session } from './Session.js';
import type { Work } from './Work.js';

/** `runpod-rx cancel`: cancels jobs, one after the other, and says what became of each. */
export function cancelJobs(session: Session, endpointId: string, ids: readonly string[]): Work {
  const endpoint = session.client.endpoint(endpointId);
  const exitCode$ = from(ids).pipe(
    concatMap((id) => endpoint.cancel(id)),
    tap(({ id, status, raw }) => {
      if (session.json) session.print(raw);
      else session.say(line`${id}  ${paint(status === 'CANCELLED' ? 'green' : 'yellow', status)}`);
    }),
    // What was over already cannot be cancelled.
    map(({ status }) => (status === 'CANCELLED' ? EXIT.done : EXIT.failed)),
    max(),
  );
  return { exitCode$ };
}
