export { iterate, type IterateOptions } from './iterate.js';
export { result, type ResultOptions } from './result.js';
