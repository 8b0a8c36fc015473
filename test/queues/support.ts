import { NEVER, Subject, startWith, timer, type Observable } from 'rxjs';
import { createRunpod, type Runpod } from 'runpod-rx';
import type { EmulatorOptions } from 'runpod-rx/testing';
import { rowOfJson } from '../../src/durable/rowJson.js';
import { JobDelivery, type Delivery, type DeliveryOrder, type DeliveryOutcome } from '../../src/queues/JobDelivery.js';
import type { QueueJobOptions } from '../../src/queues/QueueJobOptions.js';
import type { QueueJobRow, QueueRow } from '../../src/queues/QueueRow.js';
import { checksOfQueueJobs } from '../../src/queues/QueueJobOptions.js';
import { queueTerms } from '../../src/queues/queueTerms.js';
import { world, type Seen } from '../support/world.js';

export interface Order {
  readonly id: string;
  readonly ms?: number;
}

/** One job of an engine, with its lock and its row. */
function memoryJob() {
  let text: string | undefined;
  let claimed = 0;
  return {
    /** The row; `undefined` where there is none. */
    row: (): QueueJobRow | undefined => (text === undefined ? undefined : (rowOfJson(text) as QueueJobRow)),
    /** Gives the job to another worker: from now on, the rows of those before have lost it. */
    claim: (): QueueRow => {
      const own = ++claimed;
      return {
        read: () => text,
        write: (next, { before, owned }) => {
          if (owned && own !== claimed) return 'lost';
          if (next === text) return 'written';
          if (text !== before) return 'changed';
          text = next;
          return 'written';
        },
      };
    },
    /** Nobody has the job any more. */
    take: () => {
      claimed++;
    },
  };
}

/** One delivery on its way. */
export interface Delivered<O> extends Seen<DeliveryOutcome<O>> {
  /** The client of its process. */
  readonly client: Runpod;
  readonly orders$: Subject<DeliveryOrder>;
  readonly progress: unknown[];
  /** Kills its process: nothing is sent or written any more. */
  kill(): void;
}

/** A job of a queue, its engine, and workers on an emulator, in virtual time. */
export function queueWorld(emulated: Partial<EmulatorOptions> = {}, options: QueueJobOptions<unknown, Order> = {}) {
  const made = world({ limits: false, ...emulated });
  const job = memoryJob();
  const start = (): Runpod =>
    createRunpod({
      transport: made.emulator.transport,
      scheduler: made.scheduler,
      apiKey: 'key',
      limits: false,
      random: () => 0.5,
    });

  /** Delivers the job to a worker in a process of its own. */
  const deliver = (given: Partial<Delivery<Order>> & { readonly first?: DeliveryOrder } = {}): Delivered<unknown> => {
    const { first, ...rest } = given;
    const orders$ = new Subject<DeliveryOrder>();
    const progress: unknown[] = [];
    const client = start();
    const terms = queueTerms<unknown, Order, unknown, unknown, QueueJobOptions<unknown, Order>>(
      'test',
      client.endpoint<Order>('demo'),
      { scheduler: made.scheduler, ...options },
      checksOfQueueJobs,
    );
    const attempt = given.attempt ?? '0';
    const all$: Observable<DeliveryOrder> = first ? orders$.pipe(startWith(first)) : orders$;
    let isDead = false;
    const { row = job.claim() } = given;
    const delivery = new JobDelivery(terms, {
      key: 'queue:1',
      request: { input: { id: 'a', ms: 10_000 } },
      attempt,
      isOfThisAttempt: (row) => row.attempt === attempt,
      orders$: all$,
      progress: (value) => progress.push(value),
      ...rest,
      row: {
        read: () => (isDead ? NEVER : row.read()),
        write: (text, condition) => (isDead ? NEVER : row.write(text, condition)),
      },
    });
    const seen = made.see(delivery.outcome());
    const kill = () => {
      isDead = true;
      seen.subscription.unsubscribe();
    };
    return Object.assign(seen, { client, orders$, progress, kill });
  };

  const count = (operation: string) => made.emulator.requests().filter((one) => one.operation === operation).length;
  const later = (ms: number) => timer(ms, made.scheduler);
  return { ...made, job, deliver, later, runs: () => count('run'), cancels: () => count('cancel') };
}

/** How a delivery has ended, as text: `COMPLETED`, `!job_failed`, `released`; `…` where it goes on. */
export function ending({ values: [outcome] }: Pick<Delivered<unknown>, 'values'>): string {
  if (!outcome) return '…';
  if (outcome.type === 'ended') return outcome.snapshot.status;
  if (outcome.type !== 'failed') return outcome.type;
  return `!${(outcome.error as { readonly code?: string }).code ?? String(outcome.error)}`;
}
