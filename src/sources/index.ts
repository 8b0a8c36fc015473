export { adaptivePolicy, fixedPolicy, type PollContext, type PollPolicy } from './PollPolicy.js';
export { pollHealth, type PollHealthOptions } from './pollHealth.js';
export { pollStatus, type PollStatusOptions } from './pollStatus.js';
export { streamChunks, type GapPolicy, type StreamChunksOptions, type StreamEvent } from './streamChunks.js';
export { streamCursor, type StreamCursor } from './StreamCursor.js';
