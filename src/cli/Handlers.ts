import { bounded } from './bounded.js';
import type { EmulateOptions } from './EmulateOptions.js';
import type { Endpoints } from './Endpoints.js';

/** How long a handler may keep all others waiting, in milliseconds. */
const MAX_BLOCKING_TIME = 10_000;

/** The handlers as they are now, behind endpoints that stay: a job gets the handlers that are there when it starts. */
export class Handlers {
  #current: Endpoints;

  constructor(current: Endpoints) {
    this.#current = current;
  }

  /** Replaces the handlers. Says what of the file takes effect only at the next start. */
  replace(next: Endpoints): string | undefined {
    const before = this.#current;
    this.#current = next;
    const changed = [...new Set([...Object.keys(before), ...Object.keys(next)])].filter(
      (id) => settings(before[id]) !== settings(next[id]),
    );
    return changed.length > 0
      ? `${changed.join(', ')}: other settings than at the start; they need a restart`
      : undefined;
  }

  /** Endpoints for the emulator. */
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

/** All but the handler, which may change at any time; `undefined` for an endpoint that is not there. */
function settings(endpoint: Endpoints[string] | undefined): string | undefined {
  return endpoint && JSON.stringify({ ...endpoint, handler: typeof endpoint.handler });
}
