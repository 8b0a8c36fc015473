export type { Handler, HandlerContext } from './Handler.js';
export { createProxy } from './proxy/createProxy.js';
export { memoryOwners, type MemoryOwnersOptions } from './proxy/memoryOwners.js';
export type { OwnedJob, OwnerStore } from './proxy/OwnerStore.js';
export type { Eventually } from './proxy/eventually.js';
export type { ProxyEndpoint, ProxyOperation, ProxyOptions, ProxyQuota } from './proxy/ProxyOptions.js';
export { Refusal } from './proxy/Refusal.js';
