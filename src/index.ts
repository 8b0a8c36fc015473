export { createRunpod, runpod, Runpod, type ClientOptions, type RunpodOptions } from './runpod.js';
export {
  Endpoint,
  type RawRequest,
  type StreamOptions,
  type SyncOptions,
  type WatchHealthOptions,
  type WatchOptions,
} from './endpoint.js';
export type { EndpointOptions } from './client/EndpointOptions.js';
export type { LimitsOption } from './client/limitsOf.js';
export * from './errors/index.js';
export * from './operators/index.js';
export * from './sources/index.js';
export { axiosTransport } from './transport/axiosTransport.js';
export type { RetryOptions } from './transport/repeat.js';
export type { Issue } from './protocol/checks.js';
export type { JsonParser } from './protocol/json.js';
export { diagnose } from './protocol/diagnose.js';
export { isTerminal } from './protocol/snapshot.js';
export type { StreamReply } from './protocol/streamReply.js';
export type * from './types/index.js';
