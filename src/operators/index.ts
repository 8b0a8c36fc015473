export { abortWith } from './abortWith.js';
export { distinctSnapshots } from './distinctSnapshots.js';
export { jobOutput } from './jobOutput.js';
export { jobProgress } from './jobProgress.js';
export { untilTerminal } from './untilTerminal.js';
