export { httpClientTransport, injectEndpoint, injectRunpod, jobResource, pipelineResource } from './client.js';
export type {
  JobResource,
  JobResourceOptions,
  JobResourceRequest,
  JobResourceState,
  JobStatus,
} from './JobResourceOptions.js';
export type { PipelineResource, PipelineResourceOptions, PipelineStatus } from './PipelineResourceOptions.js';
export {
  provideRunpod,
  withEvents,
  withFetch,
  withPageHide,
  withServerJobs,
  type RunpodFeature,
} from './provideRunpod.js';
export type { PageHidePolicy, RunpodProviderOptions } from './RunpodProviderOptions.js';
