import { PendingRecords } from '../durable/PendingRecords.js';
import { invalidOptions } from '../errors/invalidOptions.js';
import type { Endpoint } from '../index.js';
import { checkOptions, having, type Checks } from '../protocol/checkOptions.js';
import { durationScheduler, wallClockOf } from '../time/clocks.js';
import type { DeliveryTerms } from './JobDelivery.js';
import type { QueueJobOptions } from './QueueJobOptions.js';

/**
 * What all deliveries of a worker share. Throws `ConfigurationError` for options that cannot work.
 *
 * @param name - of the public function, for the error
 */
export function queueTerms<Q, I extends object, O, C, T extends QueueJobOptions<Q, I>>(
  name: string,
  endpoint: Endpoint<I, O, C>,
  options: T,
  checks: Checks<T>,
): DeliveryTerms<I, O, C> {
  const issues = [
    ...having('an endpoint of a client', 'job', 'attach')(endpoint, 'endpoint'),
    ...checkOptions(options, checks),
  ];
  if (issues.length) throw invalidOptions(name, issues);
  const { webhooks, ambiguous = webhooks ? 'wait' : 'fail', grace = 1_800_000, job } = options;
  const scheduler = durationScheduler(options.scheduler);
  return {
    endpoint,
    ambiguous,
    grace,
    scheduler,
    wallNow: wallClockOf(options.scheduler),
    pending: new PendingRecords(),
    departure: { detaches: false },
    onBehalf: undefined,
    ...(webhooks && { webhooks }),
    ...(job && { job }),
  };
}
