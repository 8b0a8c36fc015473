/**
 * What loads the client. A file of its own in the package: beside it, `provideRunpod` and its features are in another one, so
 * that the initial chunk of an application holds the configuration and nothing else.
 */
export { httpClientTransport } from './httpClientTransport.js';
export { injectEndpoint, injectRunpod } from './injectRunpod.js';
export { jobResource } from './jobResource.js';
export { pipelineResource } from './pipelineResource.js';
