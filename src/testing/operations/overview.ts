import { defer, of } from 'rxjs';
import { json } from '../model/answers.js';
import { jobBody } from '../model/jobBody.js';
import type { Operate } from './Call.js';

/** `GET /health`: counts of jobs and workers. `ready` counts the idle workers once more, as on the service. */
export const health: Operate = ({ endpoint: { queue, workers } }) =>
  defer(() => {
    const { completed, failed, retried } = queue.counters;
    const { inProgress, inQueue } = queue.depth();
    const { idle, initializing, running } = workers.counts();
    return of(
      json(200, {
        jobs: { completed, failed, inProgress, inQueue, retried },
        workers: { idle, initializing, ready: idle, running, throttled: 0, unhealthy: 0 },
      }),
    );
  });

/** `GET /requests`: documented by its rate limit only. The emulator lists the jobs that are not over. */
export const requests: Operate = ({ endpoint: { queue, settings } }) =>
  defer(() => of(json(200, { requests: queue.live().map((job) => jobBody(job, settings.variants)) })));
