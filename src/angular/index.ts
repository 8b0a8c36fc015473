export * from './client.js';
export * from './provideRunpod.js';
export type {
  JobResource,
  JobResourceOptions,
  JobResourceRequest,
  JobResourceState,
  JobStatus,
} from './JobResourceOptions.js';
export type { PipelineResource, PipelineResourceOptions, PipelineStatus } from './PipelineResourceOptions.js';
export type { PageHidePolicy, RunpodProviderOptions } from './RunpodProviderOptions.js';
