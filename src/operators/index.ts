export { abortWith } from './abortWith.js';
export { distinctSnapshots } from './distinctSnapshots.js';
export { jobOutput } from './jobOutput.js';
export { untilTerminal } from './untilTerminal.js';
