import { JobDeadlineError } from '../errors/JobDeadlineError.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import type { JobOptions, JobTimeout } from './JobOptions.js';
import type { JobState } from './jobReducer.js';

/** How long after `timeout.execution` the client steps in, in milliseconds: the service's own kill comes 3–12 s late. */
const KILL_MARGIN = 15_000;

/** The option `timeout` as limits by name; a number is `total`. */
export function timeoutOf({ timeout }: JobOptions<object>): JobTimeout {
  return typeof timeout === 'object' ? timeout : { total: timeout };
}

/**
 * The deadline that comes first, and its time on the scheduler; `Infinity` where there is none. The time may be past,
 * where the deadline has just been reached.
 */
export function nextDeadline(state: JobState, timeout: JobTimeout): readonly [keyof JobTimeout, number] {
  const { startedAt = Infinity, joinedAt = Infinity, runningAt = Infinity, snapshot } = state;
  const { queue = Infinity, execution = Infinity, total = Infinity } = timeout;
  const queued = !snapshot || snapshot.status === 'IN_QUEUE';
  const deadlines = [
    ['total', startedAt + total],
    ['queue', queued ? joinedAt + queue : Infinity],
    ['execution', runningAt + execution + KILL_MARGIN],
  ] as const;
  return deadlines.reduce((first, other) => (other[1] < first[1] ? other : first));
}

/** What the views of a job error with after a deadline. */
export function deadlineError(
  deadline: keyof JobTimeout,
  timeout: JobTimeout,
  { id, snapshot }: Pick<JobState, 'id' | 'snapshot'>,
  context: ErrorContext,
): JobDeadlineError {
  return new JobDeadlineError(
    `job ${id ?? '?'} was not over within ${timeout[deadline]} ms (option timeout, ${deadline})`,
    context,
    { limit: deadline, by: 'client', snapshot },
  );
}
