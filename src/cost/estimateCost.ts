import { assertOptions } from '../errors/invalidOptions.js';
import { mustBe, required, type Checks } from '../protocol/checkOptions.js';

/** Terms of {@link estimateCost}. */
export interface CostOptions {
  /** What a worker of the endpoint costs in a second, in any currency: the endpoint's page shows it. 0 or more. */
  readonly perSecond: number;
}

const OPTIONS: Checks<CostOptions> = {
  perSecond: required(mustBe('a number, 0 or more', (value) => Number.isFinite(value) && Number(value) >= 0)),
};

/**
 * Estimates what the execution of a job, or of the jobs of a pipeline, costs: its `executionTime` at the price of a second, in
 * the currency of the price.
 *
 * ```ts
 * job.end$.subscribe((snapshot) => console.log(estimateCost(snapshot, { perSecond: 0.00031 })));
 * ```
 *
 * An estimate, and usually too low. RunPod bills a worker from the moment it is woken until it has stopped (RunPod
 * documentation, "Pricing"), and a job does not say what came before and after its execution: the cold start, the idle
 * timeout, and runs that the platform repeated. A worker that runs several jobs at a time is billed once, and counted for
 * each of them.
 *
 * `undefined` for a snapshot without an `executionTime`, such as that of a job in the queue. Throws `ConfigurationError` where
 * `perSecond` is not a number of at least 0.
 */
export function estimateCost(executed: { readonly executionTime: number }, options: CostOptions): number;
export function estimateCost(executed: { readonly executionTime?: number }, options: CostOptions): number | undefined;
export function estimateCost(
  { executionTime }: { readonly executionTime?: number },
  options: CostOptions,
): number | undefined {
  assertOptions('estimateCost', options, OPTIONS);
  return executionTime === undefined ? undefined : (executionTime / 1_000) * options.perSecond;
}
