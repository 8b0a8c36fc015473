import { isRunpodError } from 'runpod-rx';
import type { Played } from './play.js';
import { isDeniedByPages } from './settlement.js';
import { isOver, saysOver } from './Wire.js';

/**
 * The cases that histories must cover, and in how many of a thousand at least; below 1 for rare ones, of which only
 * a long soak is sure to meet some. A property proves nothing about a case that never came up.
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
  'clock step': 30,
  sleep: 30,
  'asleep during a request': 10,
  'asleep during a cancel': 0.3,
  'skewed reference': 0.5,
  'page on run': 20,
  'page on status': 40,
  'page on stream': 20,
  'page on cancel': 6,
  'missing pages believed': 0,
  'answer about another job': 40,
  'hostile output': 5,
  'hostile error': 4,
  'hostile progress': 0.5,
  'hostile chunks': 3,
  'lost submission': 15,
  'end by a held read': 6,
  'held read, left': 6,
  'held read, broken': 2,
  abandoned: 0,
} as const;

export type Kind = keyof typeof least;
export type Coverage = Record<Kind, number>;

export const nothing = (): Coverage => Object.fromEntries(Object.keys(least).map((kind) => [kind, 0])) as Coverage;

/** The cases that a history covers. */
export function met(played: Played): Kind[] {
  const { history, wire, lives, jobs, reports, closedAt } = played;
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
  const befalls = (type: 'step' | 'sleep') =>
    history.machines.flatMap((machine, client) =>
      machine.events.flatMap(({ at, event }) =>
        event.type === type ? [{ at, client, until: at + (event.type === 'sleep' ? event.for : 0) }] : [],
      ),
    );
  /** Whether something befell a machine while a view was subscribed to. */
  const befell = (type: 'step' | 'sleep') =>
    befalls(type).some(({ at, client }) =>
      lives.some(
        (life) => life.client === client && life.views.some(({ since, until = 0 }) => since < at && at < until),
      ),
    );
  const asleep = (operations: readonly string[]) =>
    befalls('sleep').some(({ at, client, until }) =>
      exchanges.some(
        (one) =>
          one.client === client && operations.includes(one.operation) && one.at < at && (one.endedAt ?? 0) >= until,
      ),
    );
  const page = (operation: string) => exchanges.some((one) => one.page && one.operation === operation);
  const hostile = lives.filter(({ nth }) => history.jobs[nth]!.work.hostile);
  /** Whether a view of a job with a hostile text emitted such a value, or such an error. */
  const gave = (name: string, code?: string) =>
    hostile.some(({ views: own }) =>
      own.some(
        (view) =>
          (view.name === name && view.values.length > 0) || (isRunpodError(view.error) && view.error.code === code),
      ),
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
      ({ operation, http, page, jobId = '', at }) =>
        operation === 'status' && http === 404 && !page && (ended.get(jobId)?.endedAt ?? Infinity) > at,
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
    'clock step': befell('step'),
    sleep: befell('sleep'),
    'asleep during a request': asleep(['run', 'status', 'stream', 'cancel']),
    'asleep during a cancel': asleep(['cancel']),
    'skewed reference': lives.some(
      ({ attached, startedByRef, attachedAt, views: own }) =>
        attached &&
        own.length > 0 &&
        startedByRef !== undefined &&
        isSkewed(played, attached.id, startedByRef, attachedAt),
    ),
    'page on run': page('run'),
    'page on status': page('status'),
    'page on stream': page('stream'),
    'page on cancel': page('cancel'),
    'missing pages believed': lives.some(({ client, id }) => id !== undefined && isDeniedByPages(played, client, id)),
    'end by a held read': exchanges.some((one) => one.held && saysOver(one)),
    'held read, left': exchanges.some(({ held, aborted }) => held && aborted),
    'held read, broken': exchanges.some(({ held, failed, http = 0 }) => held && (failed || http >= 300)),
    'answer about another job': exchanges.some(({ foreign }) => foreign),
    'hostile output': gave('output$'),
    'hostile error': gave('', 'job_failed'),
    'hostile progress': gave('progress$'),
    'hostile chunks': gave('chunks$'),
    'lost submission': reports.some((ofClient) => ofClient.some((report) => report.lost.length > 0)),
    abandoned: reports.some((ofClient) => ofClient.some((report) => report.abandoned.length > 0)),
  };
  return (Object.keys(found) as Kind[]).filter((kind) => found[kind]);
}

/** Whether a reference says another time than that of the submission, by ten seconds or more. */
function isSkewed({ jobs }: Played, id: string, startedByRef: number, attachedAt: number): boolean {
  const submittedAt = jobs.find((job) => job.id === id)?.submittedAt ?? attachedAt;
  return Math.abs(startedByRef - submittedAt) > 10_000;
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
