/**
 * What may stand between a client and the service, and treat held reads (`/status-sync`) in its own way. Each is a
 * function from the emulator and its clock to a transport.
 */
import { delay, map, NEVER, of, race, switchMap, throwError, timer } from 'rxjs';

/** How long a gateway takes for an answer of its own, in milliseconds. */
const LATENCY = 40;

/** The longest time that an answer of the emulator takes where it is not held, in milliseconds. */
const MAX_LATENCY = 60;

const isHeld = ({ operation }) => operation === 'status-sync';

/** The path of held reads does not exist. */
const refused =
  ({ transport }, scheduler) =>
  (request) =>
    isHeld(request)
      ? of({ status: 404, headers: {}, text: '404 page not found' }).pipe(delay(LATENCY, scheduler))
      : transport(request);

/** Held reads are answered at once, whether the job is over or not. They count against the limits of held reads. */
const atOnce = (emulator, scheduler) => (request) => {
  const answer$ = emulator.transport(request);
  if (!isHeld(request)) return answer$;
  const unfinished$ = timer(MAX_LATENCY + 1, scheduler).pipe(
    map(() => {
      const jobId = /status-sync\/([^/?]+)/.exec(request.url)[1];
      const { status } = emulator.jobs().find(({ id }) => id === jobId);
      return { status: 200, headers: {}, text: JSON.stringify({ id: jobId, status }) };
    }),
  );
  return race(answer$, unfinished$);
};

/** Connections are closed when no answer came for a time. */
const cutAfter =
  (ms) =>
  ({ transport }, scheduler) =>
  (request) => {
    const cut$ = timer(ms, scheduler).pipe(
      switchMap(() => throwError(() => Object.assign(new Error('closed'), { phase: 'sent', code: 'ECONNRESET' }))),
    );
    return race(transport(request), cut$);
  };

/** Held reads are never answered. */
const silent =
  ({ transport }) =>
  (request) =>
    isHeld(request) ? NEVER : transport(request);

/** All gateways by the name they have in the results. */
export const gateways = {
  refused,
  'at once': atOnce,
  'cut after 3 s': cutAfter(3_000),
  'cut after 60 s': cutAfter(60_000),
  silent,
};
