export type { ErrorBody, RequestIssue } from './errorAnswers.js';
export { RunpodExceptionFilter } from './RunpodExceptionFilter.js';
export { RunpodModule } from './RunpodModule.js';
export type {
  AsyncEndpointFeature,
  EndpointFeature,
  EndpointSettings,
  RunpodModuleAsyncOptions,
  RunpodModuleExtras,
  RunpodModuleOptions,
  RunpodModuleServices,
  RunpodOptionsFactory,
} from './RunpodModuleOptions.js';
export { toSse, type SseOptions } from './toSse.js';
export {
  getEndpointToken,
  getRunpodToken,
  getWebhooksToken,
  InjectEndpoint,
  InjectRunpod,
  InjectWebhooks,
  type InjectDecorator,
} from './tokens.js';
export { UnsubscribeOnDisconnect } from './UnsubscribeOnDisconnect.js';
