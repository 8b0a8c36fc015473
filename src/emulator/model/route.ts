import { operations } from '../../protocol/operations.js';

/** The parts of a request's URL. */
export interface Route {
  readonly endpointId: string;
  readonly operation: string;
  /** The path segments after the operation. */
  readonly path: readonly string[];
  /** The job that the path names, if any. */
  readonly jobId?: string;
  /** The worker that sent the request, for operations of workers. */
  readonly workerId?: string;
  readonly query: URLSearchParams;
}

/** The operations of workers. Their path has a worker's id first, then a job's id. */
const WORKER_OPERATIONS: ReadonlySet<string> = new Set([
  'job-take',
  'job-take-batch',
  'job-stop',
  'job-done',
  'job-stream',
  'ping',
]);

/** The operations whose path holds no job id. */
const PATH_OPERATIONS: ReadonlySet<string> = new Set(['openai', 'batch']);

const known = (segment: string | undefined): boolean => segment !== undefined && Object.hasOwn(operations, segment);

/**
 * Reads `…/v2/{endpointId}/{operation}/{jobId}?…`, or for workers `…/v2/{endpointId}/{operation}/{workerId}/{jobId}?…`. Any
 * base path is allowed, since a client may reach the emulator through a proxy. In a path without `v2`, the segment before
 * the first known operation is the endpoint.
 */
export function readRoute(url: string): { readonly path: string; readonly route?: Route } {
  const { pathname, search, searchParams: query } = new URL(url, 'http://localhost');
  const path = pathname + search;
  const segments = pathname.split('/').filter(Boolean).map(decoded);
  const isBase = (segment: string): boolean => segment === 'v2';
  let at = segments.findIndex((segment, index) => isBase(segment) && known(segments[index + 2])) + 1;
  if (at === 0) at = segments.findIndex(isBase) + 1;
  if (at === 0) at = segments.findIndex((_, index) => known(segments[index + 1]));
  const [endpointId, operation, ...rest] = at < 0 ? [] : segments.slice(at);
  if (endpointId === undefined || operation === undefined) return { path };
  const ids = PATH_OPERATIONS.has(operation) ? [] : rest;
  const [workerId, jobId] = WORKER_OPERATIONS.has(operation) ? ids : [undefined, ...ids];
  return {
    path,
    route: {
      endpointId,
      operation,
      path: rest,
      query,
      ...(jobId !== undefined && { jobId }),
      ...(workerId !== undefined && { workerId }),
    },
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
