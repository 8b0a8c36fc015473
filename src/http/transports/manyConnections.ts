import { inBrowser, onWorkerd, type PlatformGlobals } from './inBrowser.js';

/** Whether the platform's `fetch` opens as many connections as there are requests. Browsers and Cloudflare Workers open six. */
export function manyConnections(globals: PlatformGlobals = globalThis): boolean {
  return !inBrowser(globals) && !onWorkerd(globals);
}
