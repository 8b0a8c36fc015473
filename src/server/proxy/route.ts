import { isJobId } from '../../protocol/checks.js';
import type { ProxyOperation } from './ProxyOptions.js';

/** What a request asks for. */
export interface Route {
  readonly endpointId: string;
  readonly operation: ProxyOperation;
  /** Whether the service, or the proxy in its place, holds the answer until the job is over. */
  readonly held: boolean;
  readonly method: 'GET' | 'POST';
  /** The job that the request is about, where it is about one. */
  readonly id?: string;
}

interface RouteRow {
  readonly operation: ProxyOperation;
  readonly method: 'GET' | 'POST';
  readonly hasId: boolean;
  readonly held?: boolean;
}

const ROUTES: Readonly<Record<string, RouteRow>> = {
  run: { operation: 'run', method: 'POST', hasId: false },
  runsync: { operation: 'runsync', method: 'POST', hasId: false, held: true },
  retry: { operation: 'retry', method: 'POST', hasId: true },
  status: { operation: 'status', method: 'GET', hasId: true },
  'status-sync': { operation: 'status', method: 'GET', hasId: true, held: true },
  stream: { operation: 'stream', method: 'GET', hasId: true, held: true },
  cancel: { operation: 'cancel', method: 'POST', hasId: true },
  health: { operation: 'health', method: 'GET', hasId: false },
};

const ENDPOINT_ID = /^[A-Za-z0-9_-]{1,200}$/;

/** Whether a request may have the service run a job. */
export function isSubmission({ operation }: Route): boolean {
  return operation === 'run' || operation === 'runsync' || operation === 'retry';
}

/**
 * The route of a path below the proxy's own; `undefined` where there is none.
 *
 * @param path - without the base path, with a leading slash
 */
export function routeOf(path: string): Route | undefined {
  const [empty, endpointId = '', name = '', last, ...rest] = path.split('/');
  const row = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
  if (!row || empty || rest.length || !ENDPOINT_ID.test(endpointId)) return undefined;
  const { operation, method, hasId, held = false } = row;
  const route = { endpointId, operation, method, held };
  if (!hasId) return last === undefined ? route : undefined;
  // Every id that the server's client takes from the service must be one that a page can ask for.
  const id = decoded(last ?? '');
  return isJobId(id) ? { ...route, id } : undefined;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
