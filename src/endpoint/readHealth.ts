import { tap, type Observable } from 'rxjs';
import type { CallMeta } from '../http/ApiCall.js';
import { CALL } from '../protocol/callChecks.js';
import { checkOptions } from '../protocol/checkOptions.js';
import { parseHealth } from '../protocol/health.js';
import type { CallOptions } from '../types/callOptions.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { EndpointContext } from './EndpointContext.js';

/** Reads the endpoint's counts of jobs and workers, and notes how many workers run: that decides what the limits allow. */
export function readHealth(
  context: EndpointContext,
  options?: CallOptions,
  meta?: CallMeta,
): Observable<EndpointHealth> {
  const { id = '', client } = context;
  return context
    .call(
      { ...meta, operation: 'health', issues: checkOptions(options, CALL), read: ({ text }) => parseHealth(text) },
      options,
    )
    .pipe(tap(({ workers }) => client.noteRunningWorkers(id, workers.running)));
}
