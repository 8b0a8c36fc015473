/**
 * What may stand between a client and the service, and treat held reads (`/status-sync`) in its own way. Each is a
 * function from a transport to another.
 */
import { NEVER, of, race, switchMap, throwError, timer } from 'rxjs';

const isHeld = ({ operation }) => operation === 'status-sync';

/** A connection that is closed after a time in which nothing came. */
const cutAfter = (ms, scheduler) =>
  timer(ms, scheduler).pipe(
    switchMap(() => throwError(() => Object.assign(new Error('closed'), { phase: 'sent', code: 'ECONNRESET' }))),
  );

export const gateways = {
  /** The path does not exist. */
  refused: (transport) => (request) =>
    isHeld(request) ? of({ status: 404, headers: {}, text: '404 page not found' }) : transport(request),
  /** The service answers at once, whether the job is over or not. */
  'at once': (transport) => (request) =>
    transport(
      isHeld(request)
        ? { ...request, operation: 'status', url: request.url.replace('status-sync', 'status').replace(/\?.*/, '') }
        : request,
    ),
  /** Connections are closed after three seconds. */
  'cut after 3 s': (transport, scheduler) => (request) => race(transport(request), cutAfter(3_000, scheduler)),
  /** Connections are closed after a minute. */
  'cut after 60 s': (transport, scheduler) => (request) => race(transport(request), cutAfter(60_000, scheduler)),
  /** Held reads are never answered. */
  silent: (transport) => (request) => (isHeld(request) ? NEVER : transport(request)),
};
