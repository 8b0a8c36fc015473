export { eventNotices, type EventNoticesOptions } from '../events/index.js';
export type { Handler, HandlerContext } from './Handler.js';
export type { NodeRequest, NodeResponse } from './adapters/NodeMessages.js';
export { toExpress, type ExpressMiddleware, type ExpressRequest } from './adapters/toExpress.js';
export {
  toFastify,
  type FastifyPlugin,
  type FastifyReply,
  type FastifyRequest,
  type FastifyScope,
} from './adapters/toFastify.js';
export { toHono, type HonoContext } from './adapters/toHono.js';
export { toNode, type NodeListener } from './adapters/toNode.js';
export { createProxy } from './proxy/createProxy.js';
export { memoryOwners, type MemoryOwnersOptions } from './proxy/memoryOwners.js';
export type { OwnedJob, OwnerStore } from './proxy/OwnerStore.js';
export type { Eventually } from './eventually.js';
export type { ProxyEndpoint, ProxyOperation, ProxyOptions, ProxyQuota } from './proxy/ProxyOptions.js';
export { Refusal } from './proxy/Refusal.js';
export { createWebhooks, type Webhooks } from './webhooks/createWebhooks.js';
export type { ResolvedKey } from './webhooks/ResolvedKey.js';
export type { WebhookStore } from './webhooks/WebhookStore.js';
export type { WebhooksOptions } from './webhooks/WebhooksOptions.js';
