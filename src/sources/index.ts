export { adaptivePolicy, fixedPolicy } from './PollPolicy.js';
export { pollHealth, type PollHealthOptions } from './pollHealth.js';
export { pollStatus, type PollStatusOptions } from './pollStatus.js';
export { streamChunks } from './streamChunks.js';
export type { StreamChunksOptions } from './StreamChunksOptions.js';
export type { StreamEvent } from './StreamEvent.js';
export type { LogPlace } from './keptStream.js';
export { streamCursor, type StreamCursor } from './StreamCursor.js';
