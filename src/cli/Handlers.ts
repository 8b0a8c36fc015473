import { bounded } from './bounded.js';
import type { EmulateOptions } from './EmulateOptions.js';
import type { Endpoints } from './Endpoints.js';

/** Milliseconds that a handler may block the event loop when it is called. */
const MAX_BLOCKING_TIME = 10_000;

/** The current handlers. The emulator's endpoints stay the same; a job runs the handler that is current when it starts. */
export class Handlers {
  #current: Endpoints;

  constructor(current: Endpoints) {
    this.#current = current;
  }

  /** Replaces the handlers. Returns a note if the file has changes that need a restart. */
  replace(next: Endpoints): string | undefined {
    const before = this.#current;
    this.#current = next;
    const changed = [...new Set([...Object.keys(before), ...Object.keys(next)])].filter(
      (id) => settings(before[id]) !== settings(next[id]),
    );
    return changed.length > 0
      ? `${changed.join(', ')}: settings have changed since the start; they take effect after a restart`
      : undefined;
  }

  /** The endpoints for the emulator. Their handlers call the current handlers. */
  endpoints({ workers, coldStart }: EmulateOptions): Endpoints {
    return Object.fromEntries(
      Object.entries(this.#current).map(([id, endpoint]) => [
        id,
        {
          ...endpoint,
          ...(workers !== undefined && { workers }),
          ...(coldStart !== undefined && { coldStart }),
          ...(endpoint.handler && { handler: (job, context) => this.#handle(id, job, context) }),
        } satisfies Endpoints[string],
      ]),
    );
  }

  #handle(id: string, ...[job, context]: Parameters<NonNullable<Endpoints[string]['handler']>>): unknown {
    const endpoint = this.#current[id];
    if (!endpoint?.handler) throw new Error(`the handlers file has no handler for "${id}" any more`);
    return bounded(() => endpoint.handler?.(job, context), MAX_BLOCKING_TIME);
  }
}

/** The settings of an endpoint without its handler, as text to compare; `undefined` for an absent endpoint. */
function settings(endpoint: Endpoints[string] | undefined): string | undefined {
  return endpoint && JSON.stringify({ ...endpoint, handler: typeof endpoint.handler });
}
