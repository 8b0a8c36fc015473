export { createRunpod, runpod, Runpod, type ClientOptions, type RunpodOptions } from './runpod.js';
export { Endpoint } from './endpoint.js';
export type { EndpointOptions } from './endpoint/EndpointOptions.js';
export type { LimitsOption, SharedLimits } from './http/resolveLimits.js';
export { estimateCost, type CostOptions } from './cost/estimateCost.js';
export * from './errors/index.js';
export { Job } from './job/Job.js';
export type { JobOptions, JobTimeout, LeavePolicy } from './job/JobOptions.js';
export * from './operators/index.js';
export * from './pipelines/index.js';
export * from './promises/index.js';
export * from './sources/index.js';
export { axiosTransport } from './http/transports/axiosTransport.js';
export type { RetryOptions } from './http/retryCall.js';
export type { Issue } from './protocol/checks.js';
export type { JsonParser } from './protocol/json.js';
export { diagnose } from './protocol/diagnose.js';
export { isTerminal, isTerminalStatus } from './protocol/snapshot.js';
export type { KeptPlace, StreamReply } from './protocol/streamReply.js';
export {
  vouchedNotice,
  type Vouched,
  type Follows,
  type VouchedNotice,
  type VouchedNoticeOptions,
} from './protocol/vouchedNotice.js';
export type * from './types/index.js';
