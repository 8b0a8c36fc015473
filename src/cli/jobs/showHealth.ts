import { ignoreElements, map, tap } from 'rxjs';
import type { EndpointHealth } from '../../index.js';
import { EXIT } from './exitCodes.js';
import type { Session, SessionOptions } from './Session.js';
import type { Work } from './Work.js';

/** Options of `runpod-rx health`. */
export interface HealthOptions extends SessionOptions {
  /** Whether it goes on until Ctrl-C. */
  readonly watch?: boolean;
}

/** `runpod-rx health`: the jobs and the workers of an endpoint, once, or until Ctrl-C. */
export function showHealth(session: Session, endpointId: string, { watch = false }: HealthOptions): Work {
  const endpoint = session.client.endpoint(endpointId);
  return watch
    ? { exitCode$: endpoint.watchHealth().pipe(tap(latestOnly(session)), ignoreElements()), endsByInterrupt: true }
    : {
        exitCode$: endpoint.health().pipe(
          tap((health) => print(session, health)),
          map(() => EXIT.done),
        ),
      };
}

function print(session: Session, health: EndpointHealth): void {
  session.print(session.json ? health.raw : healthLines(health).join('\n'));
}

/** Redraws the counts on a terminal, and writes them to a file or a pipe where they have changed. */
function latestOnly(session: Session): (health: EndpointHealth) => void {
  let last = '';
  return (health) => {
    const lines = healthLines(health);
    if (session.isLive) session.status(lines);
    else if (lines.join() !== last) print(session, health);
    last = lines.join();
  };
}

/** The counts of an endpoint: a line for its jobs, and one for its workers. */
function healthLines({ jobs, workers }: EndpointHealth): string[] {
  const counts = (all: readonly (readonly [number | undefined, string])[]) =>
    all.flatMap(([count, name]) => (count === undefined ? [] : [`${count} ${name}`])).join(' · ');
  return [
    `jobs     ${counts([
      [jobs.inQueue, 'queued'],
      [jobs.inProgress, 'running'],
      [jobs.completed, 'completed'],
      [jobs.failed, 'failed'],
      [jobs.retried, 'retried'],
    ])}`,
    `workers  ${counts([
      [workers.running, 'running'],
      [workers.idle, 'idle'],
      [workers.initializing, 'starting'],
      [workers.throttled, 'throttled'],
      [workers.unhealthy, 'unhealthy'],
    ])}`,
  ];
}
