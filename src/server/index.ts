export type { Handler, HandlerContext } from './Handler.js';
