import type { EmulatorOptions } from '../EmulatorOptions.js';
import { Batches } from '../batch/Batches.js';
import type { Faults } from '../faults/Faults.js';
import { JobQueue } from './JobQueue.js';
import type { Ledger } from './Ledger.js';
import { LocalWorkers } from './LocalWorkers.js';
import { seededRandom } from './random.js';
import { RequestQuota } from './RequestQuota.js';
import { RemoteWorkers } from './RemoteWorkers.js';
import type { EndpointSettings } from './settings.js';
import { Webhooks } from '../webhooks/Webhooks.js';
import { WorkerDesk } from './WorkerDesk.js';
import { allOf, type WorkerPool } from './WorkerPool.js';

/** One endpoint: its jobs, its workers, and what bounds the requests to it. */
export interface EndpointModel {
  readonly settings: EndpointSettings;
  readonly queue: JobQueue;
  readonly desk: WorkerDesk;
  /** All workers of the endpoint, local and remote. */
  readonly workers: WorkerPool;
  /** The workers of other processes, which speak to the emulator over HTTP. */
  readonly remote: RemoteWorkers;
  readonly batches: Batches;
  readonly quota: RequestQuota | undefined;
  readonly faults: Faults;
  readonly close: () => void;
}

export function createEndpointModel(
  settings: EndpointSettings,
  options: EmulatorOptions,
  faults: Faults,
  ledger: Ledger,
): EndpointModel {
  const { seed = '', limits = 'documented', rateWindow = 'sliding' } = options;
  // Each use has a random sequence of its own, so that one more worker does not change the ids of jobs.
  const random = (use: string) => seededRandom(`${seed}/${settings.id}/${use}`);
  const webhooks = new Webhooks(settings, options.webhooks ?? {}, faults, random('webhooks'));
  const queue = new JobQueue(settings, random('jobs'), {
    accepted: (job) => ledger.addJob(job),
    ended: (job) => {
      const expired = faults.forJob('expired-result', job);
      if (expired) job.retention = expired.after ?? 1_000;
      webhooks.deliver(job);
    },
    dropped: (job) => ledger.markUnreadable(job),
  });
  const desk = new WorkerDesk(queue, faults);
  // Remote workers come first: they have started already, while a local worker may have to start for a job.
  const remote = new RemoteWorkers(queue, desk, faults);
  const workers = allOf([remote, new LocalWorkers(queue, desk, faults, random('workers'))]);
  return {
    settings,
    queue,
    desk,
    workers,
    remote,
    batches: new Batches(queue, random('batches')),
    quota: limits === false ? undefined : new RequestQuota(limits, rateWindow),
    faults,
    close: () => {
      queue.close();
      desk.close();
      workers.close();
      webhooks.close();
    },
  };
}
