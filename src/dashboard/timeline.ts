import type { JobDetails } from '../emulator/server/dashboard/FeedEvent.js';
import { element } from './dom.js';
import { duration } from './format.js';
import { statusWords } from './statusTag.js';

interface Milestone {
  readonly at: number;
  readonly words: string;
  /** A request about the job, and nothing that happened to it. */
  readonly isMinor?: true;
}

const OUTCOMES = {
  reported: 'Its worker reported the result',
  cancelled: 'Its worker was told to stop',
  killed: 'Its worker was killed: the execution took too long',
  expired: 'Its worker was told to stop: the time to live is over',
  lost: 'Its worker was lost',
  closed: 'The emulator was closed',
} as const;

/** What happened to a job, in order: its submission, its runs, the requests about it, its webhook and its end. */
export function timeline(job: JobDetails): HTMLElement {
  const items = milestones(job).map(({ at, words, isMinor }) =>
    element(
      'li',
      isMinor ? { class: 'minor' } : {},
      element('time', {}, `+${duration(at - job.submittedAt)}`),
      element('span', {}, words),
    ),
  );
  return element('ol', { class: 'timeline' }, ...items);
}

function milestones(job: JobDetails): readonly Milestone[] {
  const { submittedAt, operation, endpointId, status, end = '', endedAt, runs, requests, webhook = [] } = job;
  return [
    { at: submittedAt, words: `Submitted to ${endpointId} by /${operation}` },
    ...runs.flatMap(({ workerId, startedAt, endedAt: stoppedAt, outcome }, at) => [
      { at: startedAt, words: `${at === 0 ? 'Started' : 'Started again'} on worker ${workerId}` },
      ...(stoppedAt !== undefined && outcome ? [{ at: stoppedAt, words: OUTCOMES[outcome] }] : []),
    ]),
    ...requests.map((request) => ({ at: request.at, words: requestWords(request), isMinor: true as const })),
    ...webhook.map((attempt) => ({
      at: attempt.at,
      words: `Webhook: ${webhookWords(attempt)}`,
      isMinor: true as const,
    })),
    ...(endedAt === undefined ? [] : [{ at: endedAt, words: endWords(status, end) }]),
  ].sort((one, other) => one.at - other.at);
}

function requestWords({
  method,
  operation = '',
  status,
  failure,
  aborted,
  fault,
  endedAt,
}: JobDetails['requests'][number]) {
  const outcome = status ?? failure ?? (aborted ? 'the client left' : undefined);
  const answer = endedAt === undefined ? 'in flight' : String(outcome ?? 'no answer');
  return `${method} /${operation} → ${answer}${fault === undefined ? '' : `, fault ${fault}`}`;
}

function webhookWords({ status, failure }: NonNullable<JobDetails['webhook']>[number]): string {
  return String(status ?? failure ?? 'sent');
}

function endWords(status: string, end: string): string {
  const words = statusWords(status);
  const isSame = end === '' || end.replace('-', ' ') === words;
  return `Ended: ${words}${isSame ? '' : ` (${end})`}`;
}
