export { adaptivePolicy, fixedPolicy } from './PollPolicy.js';
export { pollHealth, type PollHealthOptions } from './pollHealth.js';
export { pollStatus, type PollStatusOptions } from './pollStatus.js';
export { streamChunks, type StreamChunksOptions, type StreamEvent } from './streamChunks.js';
export { streamCursor, type StreamCursor } from './StreamCursor.js';
