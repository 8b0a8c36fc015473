import { isRunpodError, type JobRef } from 'runpod-rx';
import { roles } from './History.js';
import { tagOf, type Played } from './play.js';
import { isOver, mayActed, saysOver, type Exchange } from './Wire.js';

/** How often in a row a gateway's 404 must stand on `/cancel` and `/status` before it is believed, and for how long. */
const MISSING_PAGES = 5;
const MISSING_TIME = 120_000;

/**
 * What is violated of the rules about money that is owed at the end: each submission of unknown fate is told to somebody,
 * and the reports say what became of each job that was to be cancelled.
 */
export function ofSettlement(played: Played): string[] {
  return [...played.history.jobs.flatMap((_, nth) => ofSubmission(played, nth)), ...ofReports(played)];
}

/** A submission that the service may have taken, and of which no id is known, is told to a view or is in the report. */
function ofSubmission({ wire, jobs, lives, reports }: Played, nth: number): string[] {
  const found: string[] = [];
  const runs = wire.exchanges.filter((one) => one.nth === nth);
  const isKnown = runs.some(hasId);
  const isAccepted = jobs.some(({ input }) => (input as { nth: number }).nth === nth);
  const told = lives
    .filter((life) => life.nth === nth && !life.attached)
    .flatMap(({ views }) => views)
    .filter(
      ({ name, error }) => roles[name] !== 'watcher' && isRunpodError(error) && error.code === 'submission_unknown',
    );
  const lost = reports[0]!.flatMap((report) => report.lost).filter(({ tag }) => tag === tagOf(nth));
  if (isAccepted && !isKnown && !told.length && !lost.length)
    found.push(`job ${nth}: accepted, and neither told to a view nor reported as lost`);
  if (lost.length > 1) found.push(`job ${nth}: reported ${lost.length} times as lost`);
  if ((told.length || lost.length) && (isKnown || !runs.some(mayActed)))
    found.push(`job ${nth}: reported as of unknown fate, which it is not`);
  const last = runs.filter(mayActed).at(-1);
  const heard = told.some(({ began }) => began < (last?.given ?? 0));
  if (lost.length && heard) found.push(`job ${nth}: told to a view, and reported as lost`);
  return found;
}

const hasId = ({ http = 500, body }: Exchange) => http < 300 && body?.id !== undefined;

/** Each list of a report says what is true of its jobs, and no job that was cancelled is missing from all of them. */
function ofReports(played: Played): string[] {
  const { wire, jobs, lives, reports } = played;
  const found: string[] = [];
  reports.forEach((ofClient, client) => {
    const say = (what: string) => found.push(`client ${client} ${what}`);
    if (!ofClient.length) say('never settled');
    const list = (name: 'cancelled' | 'finished' | 'abandoned') =>
      ofClient.flatMap((report): readonly JobRef[] => report[name]).map(({ id }) => id);
    const statusOf = (id: string) => jobs.find((job) => job.id === id)?.status ?? 'unknown';
    for (const id of list('cancelled')) if (statusOf(id) !== 'CANCELLED') say(`reported as cancelled: ${statusOf(id)}`);
    for (const id of list('finished'))
      if (!isOver(statusOf(id)) && !isDenied(played, client, id)) say(`reported as finished: ${statusOf(id)}`);
    for (const id of list('abandoned')) if (!isContradicted(played, id)) say(`abandoned a job: ${statusOf(id)}`);
    const reported = new Set([...list('cancelled'), ...list('finished'), ...list('abandoned')]);
    const mayRunOn = (id: string) =>
      lives.some((life) => life.id === id && life.reasons.some(({ policy }) => policy === 'cancel-if-queued'));
    for (const { operation, jobId = '', at } of wire.exchanges.filter((one) => one.client === client))
      if (operation === 'cancel' && !reported.has(jobId) && !mayRunOn(jobId))
        say(`sent a cancel at ${at}, and did not report what became of it`);
  });
  return found;
}

/**
 * Whether a client may take a job for gone: the service itself answered 404, or a gateway's 404 stood in place of every
 * answer to its cancels and to the reads after them, five times in a row and for two minutes.
 */
export function isDenied(played: Played, client: number, id: string): boolean {
  const answers = settlingAnswers(played, client, id);
  return answers.some(({ http, page }) => http === 404 && !page) || isDeniedByPages(played, client, id);
}

/** The second of these. */
export function isDeniedByPages(played: Played, client: number, id: string): boolean {
  let inRow: number[] = [];
  for (const { http = 500, page, operation, at } of settlingAnswers(played, client, id)) {
    // A read that failed is repeated, and its last answer counts.
    if (http >= 500 || http === 429) continue;
    if (http !== 404 || !page) inRow = [];
    else if (operation === 'cancel') inRow.push(at);
    if (inRow.length >= MISSING_PAGES && at - (inRow[0] ?? at) >= MISSING_TIME) return true;
  }
  return false;
}

function settlingAnswers({ wire }: Played, client: number, id: string): Exchange[] {
  return wire.exchanges.filter(
    (one) => one.client === client && one.jobId === id && (one.operation === 'cancel' || one.operation === 'status'),
  );
}

/**
 * Whether the job was over by one answer of the service, and by a later one was not. Its end cannot be confirmed then, and
 * the job is reported as abandoned.
 */
function isContradicted({ jobs, wire }: Played, id: string): boolean {
  const endedAt = jobs.find((job) => job.id === id)?.endedAt ?? Infinity;
  return wire.exchanges.some(
    (one) =>
      one.jobId === id &&
      (one.operation === 'status' || one.operation === 'cancel') &&
      one.at >= endedAt &&
      (one.http ?? 0) < 300 &&
      one.body?.status !== undefined &&
      !saysOver(one),
  );
}
