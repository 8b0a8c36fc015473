import { isRunpodError } from 'runpod-rx';
import type { Played } from './play.js';
import { isOver } from './Wire.js';

/**
 * The cases that histories must cover, and in how many of a thousand at least. A property proves nothing about a case
 * that never came up.
 */
export const least = {
  completed: 150,
  failed: 80,
  'cancelled on the server': 180,
  'left by unsubscribing': 150,
  'left during submission': 35,
  'left before it was sent': 35,
  'left within a grace, and back': 10,
  'cancel()': 100,
  'cancel-if-queued': 35,
  signal: 70,
  'close()': 60,
  deadline: 90,
  detached: 80,
  'attached again': 50,
  'attached elsewhere': 25,
  'several jobs': 180,
  'lost answer': 180,
  'submission of unknown fate': 140,
  'submission sent again': 60,
  'late progress': 8,
  'transient 404': 12,
  'unknown status': 60,
  expired: 50,
  outage: 90,
  'reading broke': 45,
  'subscribed again after an error': 300,
  'chunks delivered': 60,
  'several chunks in one answer': 25,
  gap: 40,
  'gap, marked': 4,
  'gap, filled': 0,
} as const;

export type Kind = keyof typeof least;
export type Coverage = Record<Kind, number>;

export const nothing = (): Coverage => Object.fromEntries(Object.keys(least).map((kind) => [kind, 0])) as Coverage;

/** The cases that a history covers. */
export function met({ history, wire, lives, jobs, closedAt }: Played): Kind[] {
  const { exchanges } = wire;
  const views = lives.flatMap((life) => life.views);
  const reasons = lives.flatMap((life) => life.reasons);
  const codes = new Set(views.flatMap(({ error }) => (isRunpodError(error) ? [error.code] : [])));
  const runs = exchanges.filter(({ operation }) => operation === 'run');
  const ended = new Map(
    jobs.flatMap(({ id, endedAt, end }) => (endedAt === undefined ? [] : [[id, { endedAt, end }]])),
  );
  const events = lives.flatMap((life) =>
    life.views.filter(({ name }) => name === 'events$').flatMap(({ values }) => values as { type: string }[]),
  );
  const streamed = lives.flatMap((life) =>
    life.views
      .filter(({ name }) => name === 'chunks$')
      .map((view) => ({ life, view, job: jobs.find(({ id }) => id === life.id) })),
  );
  const lost = ({ jobId, operation }: (typeof exchanges)[number]) =>
    exchanges.some(
      (one) =>
        one.operation === operation &&
        one.jobId === jobId &&
        one.operation === 'stream' &&
        (one.failed === 'sent' || one.http! >= 500),
    );
  const found: Readonly<Record<Kind, boolean | undefined>> = {
    completed: jobs.some(({ end }) => end === 'completed'),
    failed: jobs.some(({ end }) => end === 'failed'),
    'cancelled on the server': jobs.some(({ end }) => end === 'cancelled'),
    'left by unsubscribing': reasons.some(({ why }) => why === 'left'),
    'left during submission': runs.some(({ sent, given = 0, nth }) =>
      lives.some((life) => life.nth === nth && life.reasons.some(({ step }) => step > sent && step < given)),
    ),
    'left before it was sent': lives.some(({ nth, attached, views: own }) => {
      const left = own.find(({ how }) => how === 'left');
      return !attached && left && !runs.some((run) => run.nth === nth && run.at <= (left.until ?? 0));
    }),
    'left within a grace, and back': lives.some(({ options, views: own }) =>
      own.some(
        ({ how, until = 0 }) =>
          how === 'left' && own.some(({ since }) => since > until && since < until + (options.grace ?? 0)),
      ),
    ),
    'cancel()': reasons.some(({ why }) => why === 'cancel()'),
    'cancel-if-queued': reasons.some(({ policy }) => policy === 'cancel-if-queued'),
    signal: reasons.some(({ why }) => why === 'signal'),
    'close()': closedAt !== undefined,
    deadline: codes.has('job_deadline'),
    detached: lives.some(({ ref }) => ref),
    'attached again': lives.some(({ attached, views: own }) => attached && own.length > 0),
    'attached elsewhere': lives.some(({ attached, client, views: own }) => attached && client === 1 && own.length > 0),
    'several jobs': jobs.length > 1,
    'lost answer': exchanges.some(({ failed, body, http = 500 }) => failed === 'sent' || (http < 300 && !body)),
    'submission of unknown fate': codes.has('submission_unknown'),
    'submission sent again': history.jobs.some((_, nth) => runs.filter((run) => run.nth === nth).length > 1),
    'late progress': exchanges.some(
      ({ operation, body, jobId = '', endedAt = 0 }) =>
        operation === 'status' &&
        body?.status === 'IN_PROGRESS' &&
        (ended.get(jobId)?.endedAt ?? Infinity) < endedAt - history.server.latency,
    ),
    'transient 404': exchanges.some(
      ({ operation, http, jobId = '', at }) =>
        operation === 'status' && http === 404 && (ended.get(jobId)?.endedAt ?? Infinity) > at,
    ),
    'unknown status': exchanges.some(({ body }) => body?.status === 'REHEATING'),
    expired: codes.has('job_expired') || codes.has('job_timed_out'),
    outage:
      history.server.outage &&
      exchanges.some(
        ({ at }) => at >= history.server.outage!.from && at < history.server.outage!.from + history.server.outage!.for,
      ),
    'reading broke': views.some(
      ({ error }) =>
        isRunpodError(error) &&
        'ref' in error &&
        ['http', 'connection', 'response', 'request_timeout'].includes(error.code),
    ),
    'subscribed again after an error': lives.some(({ views: own }) =>
      own.some(({ how, ended: end = 0 }) => how === 'errored' && own.some(({ began }) => began > end)),
    ),
    'chunks delivered': streamed.some(({ view }) => view.values.length > 0),
    'several chunks in one answer': streamed.some(
      ({ view, life }) =>
        view.values.length > 1 &&
        exchanges.some(
          ({ jobId, operation, body }) =>
            operation === 'stream' && jobId === life.id && (body?.stream?.length ?? 0) > 1,
        ),
    ),
    gap: codes.has('stream_gap'),
    'gap, marked': events.some(({ type }) => type === 'gap'),
    'gap, filled': streamed.some(
      ({ life, view, job }) =>
        view.how === 'completed' &&
        life.options.onGap !== 'mark' &&
        job &&
        isOver(job.status) &&
        view.values.length === job.chunks.length &&
        job.chunks.length > 0 &&
        exchanges.some((one) => one.jobId === job.id && lost(one)),
    ),
  };
  return (Object.keys(found) as Kind[]).filter((kind) => found[kind]);
}

/** The cases that came up too seldom in a number of histories. */
export function lacking(coverage: Coverage, runs: number): string[] {
  return (Object.keys(least) as Kind[])
    .filter((kind) => coverage[kind] < Math.floor((least[kind] * runs) / 1000))
    .map((kind) => `${kind}: ${coverage[kind]} of ${runs}, but at least ${least[kind]} of 1000 are to be`);
}

export function summary(coverage: Coverage): string {
  return Object.entries(coverage)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(' · ');
}
