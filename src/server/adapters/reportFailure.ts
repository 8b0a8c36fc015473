import { reportUnhandled } from '../../errors/reportUnhandled.js';

/** Reports what failed while a request was answered, unless it failed because the client has gone. */
export function reportFailure(error: unknown, signal: AbortSignal): void {
  if (signal.aborted && (error === signal.reason || isAbort(error))) return;
  reportUnhandled(error);
}

function isAbort(error: unknown): boolean {
  return (error as { name?: unknown } | null | undefined)?.name === 'AbortError';
}
