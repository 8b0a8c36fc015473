import { defer, of } from 'rxjs';
import { json } from '../model/answers.js';
import type { EndpointModel } from '../model/EndpointModel.js';
import { jobBody } from '../model/jobBody.js';
import type { EndpointState } from '../inspect/EmulatorState.js';
import type { Operate } from './OperationCall.js';

/** The counts that `/health` answers. `ready` equals `idle`, as on the service. */
export function healthOf({ queue, workers, remote, faults, settings }: EndpointModel): EndpointState {
  const { completed, failed, retried } = queue.counters;
  const { inProgress, inQueue } = queue.depth();
  const { idle, initializing, running, unhealthy: failedChecks } = workers.counts();
  const most = settings.workers.max + remote.awayCount();
  const throttled = faults.workersAway('throttled-workers', settings.id, most);
  const unhealthy = failedChecks + faults.workersAway('unhealthy-workers', settings.id, most);
  return {
    jobs: { completed, failed, inProgress, inQueue, retried },
    workers: { idle, initializing, ready: idle, running, throttled, unhealthy },
  };
}

/** `GET /health`: counts of jobs and workers. */
export const health: Operate = ({ endpoint }) => defer(() => of(json(200, healthOf(endpoint))));

/** `GET /metrics`: not documented. The answer has the form that an official client reads. */
export const metrics: Operate = ({ endpoint }) =>
  defer(() => {
    const { ready, running, idle, initializing, throttled, unhealthy } = healthOf(endpoint).workers;
    const workers = { ready, running, idle, initializing, throttled, unhealthy };
    return of(json(200, { workers, readyWorkers: endpoint.workers.ready() }));
  });

/** `GET /requests`: only its rate limit is documented. The emulator lists the jobs that have not ended. */
export const requests: Operate = ({ endpoint: { queue, settings } }) =>
  defer(() => of(json(200, { requests: queue.listUnfinished().map((job) => jobBody(job, settings.variants)) })));
