import { JobDeadlineError, JobExpiredError, isRunpodError, type ErrorContext, type JobSnapshot } from '../index.js';
import type { JobEnd, JobRow } from './JobRow.js';

/**
 * Makes up what a job's webhook is known by. Each job has its own: a key may have several, one after the other, and so may a
 * key of the same name in another store, whose webhooks the receiver still remembers.
 */
export function newWebhookKey({ key, generation }: JobRow): string {
  return `${key}#${generation}#${crypto.randomUUID().slice(0, 8)}`;
}

/** The job is over. */
export function endedRow({ leaving: _leaving, ...row }: JobRow, { raw: job }: JobSnapshot): JobRow {
  return { ...row, state: 'ended', end: { job } };
}

/** Nothing of the row's job was accepted. */
export function unsentRow(row: JobRow): JobRow {
  return row.state === 'sending' ? { ...row, state: 'wanted' } : row;
}

/** Whether an error says that no job was accepted. One that names a job says so of a cancel. */
export function isNotAccepted(error: unknown): boolean {
  return isRunpodError(error) && error.accepted === 'no' && error.jobId === undefined;
}

/** How a row changes by an error after which there is nothing more to follow; `undefined` for other errors. */
export function endAfter(error: unknown): ((row: JobRow) => JobRow) | undefined {
  const ended =
    (end: JobEnd) =>
    (row: JobRow): JobRow => ({ ...row, state: 'ended', end });
  // The output does not match its schema: the job is over and paid, and the schema may be mended.
  if (isRunpodError(error, 'job_output')) {
    const { snapshot } = error;
    return snapshot && ended({ job: snapshot.raw });
  }
  if (isRunpodError(error, 'job_deadline')) return ended({ lost: 'deadline', message: error.message });
  if (isRunpodError(error, 'job_expired') || isRunpodError(error, 'job_not_found'))
    return ended({ lost: 'gone', message: error.message });
  return undefined;
}

/** The error that is given again for a job which has ended without an answer of the service. */
export function errorOfEnd(end: Extract<JobEnd, { readonly lost: string }> | undefined, context: ErrorContext): Error {
  const { lost = 'gone', message = 'the job is gone' } = end ?? {};
  return lost === 'gone'
    ? new JobExpiredError(message, context)
    : new JobDeadlineError(message, context, { limit: 'total', by: 'client' });
}
