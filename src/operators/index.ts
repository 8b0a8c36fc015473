export { abortWith } from './abortWith.js';
export { cancelOnUnsubscribe, type CancelOnUnsubscribeOptions } from './cancelOnUnsubscribe.js';
export { distinctSnapshots } from './distinctSnapshots.js';
export { jobOutput } from './jobOutput.js';
export { jobProgress } from './jobProgress.js';
export { retryJob, type RetryJobOptions } from './retryJob.js';
export { untilTerminal } from './untilTerminal.js';
