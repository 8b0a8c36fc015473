export { failover, type FailoverOptions } from './failover.js';
export { hedge, type HedgeOptions } from './hedge.js';
export type { OverflowStrategy } from './Pipeline.js';
export type { PipelineOptions, RetryItemOptions, WithoutFailures } from './PipelineOptions.js';
export { runAll } from './runAll.js';
export { runEach, type RunEachOptions } from './runEach.js';
