import { map, of, switchMap } from 'rxjs';
import { EXIT } from './exitCodes.js';
import { refused } from './refused.js';
import type { Session, SessionOptions } from './Session.js';
import type { Work } from './Work.js';

/** Options of `runpod-rx purge`. */
export interface PurgeOptions extends SessionOptions {
  /** Whether nobody is asked. */
  readonly yes?: boolean;
}

/** `runpod-rx purge`: removes all queued jobs of an endpoint, whoever submitted them, and asks before. */
export function purgeQueue(session: Session, endpointId: string, { yes = false }: PurgeOptions): Work {
  const endpoint = session.client.endpoint(endpointId);
  if (!yes && !session.canAsk) throw refused('nobody can be asked without a terminal: --yes purges without a question');
  const question = (queued: number) =>
    session.ask(`Remove the ${queued} queued jobs of ${endpointId}, whoever submitted them?`);
  const agreed$ = yes ? of(true) : endpoint.health().pipe(switchMap(({ jobs }) => question(jobs.inQueue)));
  const exitCode$ = agreed$.pipe(
    switchMap((agreed) => {
      if (!agreed) {
        session.say('nothing was removed');
        return of(EXIT.failed);
      }
      return endpoint.purgeQueue().pipe(
        map(({ removed, raw }) => {
          session.print(session.json ? raw : `${removed} queued jobs removed`);
          return EXIT.done;
        }),
      );
    }),
  );
  return { exitCode$ };
}
