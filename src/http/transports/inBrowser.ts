/** The globals that tell one platform from another. */
export type PlatformGlobals = Readonly<Record<string, unknown>>;

/**
 * Whether the code runs where every visitor can read it: in a page, or in a worker of one (web worker, shared worker,
 * service worker). jsdom and the windows of Electron are pages. Servers are not, though some of them offer the globals of
 * a service worker to the code that they run.
 */
export function inBrowser(globals: PlatformGlobals = globalThis): boolean {
  return inPage(globals) || inWorkerOfPage(globals);
}

function inPage(globals: PlatformGlobals): boolean {
  return isPresent(globals.window) && isPresent(globals.document);
}

/** Every worker of a browser has `importScripts`, module workers as well, where it can only throw. */
function inWorkerOfPage(globals: PlatformGlobals): boolean {
  return isPresent(globals.WorkerGlobalScope) && isPresent(globals.importScripts) && !onServer(globals);
}

/** Runtimes of servers that have workers or globals like those of a browser. */
function onServer(globals: PlatformGlobals): boolean {
  const { Deno, Bun, EdgeRuntime } = globals;
  return [Deno, Bun, EdgeRuntime].some(isPresent) || onWorkerd(globals);
}

/** Cloudflare Workers. */
export function onWorkerd({ navigator }: PlatformGlobals = globalThis): boolean {
  return (navigator as { userAgent?: unknown } | undefined)?.userAgent === 'Cloudflare-Workers';
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
