import { catchError, concat, concatMap, defer, map, of, range, reduce, tap, toArray, type Observable } from 'rxjs';
import type { EndpointHealth } from '../../index.js';
import { durationScheduler } from '../../time/clocks.js';
import { seconds } from '../seconds.js';
import { line, paint } from '../Text.js';
import { EXIT } from './exitCodes.js';
import { failureOf } from './failureOf.js';
import type { Session } from './Session.js';
import type { Work } from './Work.js';

/** How many requests tell the time of a round trip. */
const ROUND_TRIPS = 5;

/** What one check has found. */
interface Finding {
  readonly check: string;
  readonly ok: boolean;
  /** What was found, and what to do about it where it is wrong. */
  readonly detail: string;
}

/** `runpod-rx doctor`: whether the key is good, the endpoint exists, its workers are healthy, and what a round trip takes. */
export function doctor(session: Session, endpointId: string): Work {
  const endpoint = session.client.endpoint(endpointId);
  const scheduler = durationScheduler();
  const timed$ = defer(() => {
    const start = scheduler.now();
    return endpoint.health().pipe(map((health) => ({ health, took: scheduler.now() - start })));
  });
  const findings$: Observable<Finding> = timed$.pipe(
    concatMap(({ health }) => {
      const roundTrips$ = range(ROUND_TRIPS).pipe(
        concatMap(() => timed$),
        map(({ took }) => took),
        toArray(),
      );
      return concat(
        of<Finding[]>(
          { check: 'key', ok: true, detail: 'the service accepts it' },
          { check: 'endpoint', ok: true, detail: `${endpointId} exists, and the key may use it` },
          workersOf(health),
          queueOf(health),
        ),
        roundTrips$.pipe(map((times) => roundTripOf(times))),
      );
    }),
    catchError((error: unknown) => of(...findingsOf(error, endpointId))),
  );
  const exitCode$ = findings$.pipe(
    tap((finding) => {
      show(session, finding);
    }),
    reduce((code: number, { ok }) => (ok ? code : EXIT.failed), EXIT.done),
  );
  return { exitCode$ };
}

function show(session: Session, { check, ok, detail }: Finding): void {
  if (session.json) session.print({ check, ok, detail });
  else session.printLine(line`${ok ? paint('green', '✓') : paint('red', '✗')} ${check.padEnd(10)}  ${detail}`);
}

/** What the failure of the first request says. */
function findingsOf(error: unknown, endpointId: string): Finding[] {
  const { code, message } = failureOf(error);
  const key = { check: 'key', ok: true, detail: 'the service accepts it' };
  switch (code) {
    case 'authentication':
    case 'configuration':
      return [{ check: 'key', ok: false, detail: message }];
    case 'not_found':
      return [key, { check: 'endpoint', ok: false, detail: message }];
    case 'validation':
      return [{ check: 'endpoint', ok: false, detail: message }];
    case 'connection':
    case 'request_timeout':
      return [{ check: 'network', ok: false, detail: message }];
    default:
      return [{ check: 'service', ok: false, detail: `${endpointId}: ${message}` }];
  }
}

function workersOf({ workers }: EndpointHealth): Finding {
  const { running, idle, initializing = 0, throttled = 0, unhealthy = 0 } = workers;
  const finding = (ok: boolean, detail: string): Finding => ({ check: 'workers', ok, detail });
  if (unhealthy > 0) return finding(false, `${unhealthy} do not start: look at their logs`);
  if (running + idle > 0) return finding(true, `${running} running, ${idle} idle`);
  if (initializing > 0) return finding(true, `${initializing} starting`);
  if (throttled > 0)
    return finding(false, `${throttled} wait for a free GPU: allow more kinds of GPU, or other regions`);
  return finding(true, 'none at the moment: the first job starts one');
}

function queueOf({ jobs }: EndpointHealth): Finding {
  return { check: 'queue', ok: true, detail: `${jobs.inQueue} queued, ${jobs.inProgress} running` };
}

function roundTripOf(times: readonly number[]): Finding {
  const median = [...times].sort((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0;
  return { check: 'round trip', ok: true, detail: `${seconds(median)} (median of ${times.length})` };
}
