import { catchError, concatMap, from, map, max, of, type Observable } from 'rxjs';
import type { Endpoint } from '../../index.js';
import { line, paint } from '../Text.js';
import { EXIT } from './exitCodes.js';
import { failureOf } from './failureOf.js';
import type { Session } from './Session.js';
import type { Work } from './Work.js';

/** `runpod-rx cancel`: cancels jobs, one after the other, and says what became of each. One that fails keeps no other. */
export function cancelJobs(session: Session, endpointId: string, ids: readonly string[]): Work {
  const endpoint = session.client.endpoint(endpointId);
  return {
    exitCode$: from(ids).pipe(
      concatMap((id) => cancelJob(session, endpoint, id)),
      max(),
    ),
  };
}

function cancelJob(session: Session, endpoint: Endpoint, id: string): Observable<number> {
  return endpoint.cancel(id).pipe(
    map(({ status, raw }) => {
      if (session.json) session.print(raw);
      session.say(line`${id}  ${paint(status === 'CANCELLED' ? 'green' : 'yellow', status)}`);
      // What was over already cannot be cancelled.
      return status === 'CANCELLED' ? EXIT.done : EXIT.failed;
    }),
    catchError((error: unknown) => {
      const failure = failureOf(error);
      session.fail(failure);
      return of(failure.exitCode);
    }),
  );
}
