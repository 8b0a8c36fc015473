import type { ErrorContext } from '../errors/RunpodError.js';
import { policyDelay } from '../sources/PollPolicy.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { PollPolicy } from '../types/PollPolicy.js';
import type { ExecutionTimes } from './ExecutionTimes.js';

/** How soon after an answer a job may be read again for its end, in milliseconds. */
const MIN_READ_GAP = 250;

/** How late a job is read for its end at most, in milliseconds after the last answer, however long such jobs take. */
export const MAX_READ_GAP = 30_000;

/**
 * How likely a job is to be over when it is read for its end: at least, and at most. Beside held reads, which find most
 * ends, the plain ones may be more.
 */
const MIN_END_CHANCE = 0.08;
const MIN_END_CHANCE_BESIDE_HELD = 0.02;
const MAX_END_CHANCE = 0.8;

/** How often a job is read while notices tell of every end, or of all that is of interest, in milliseconds: a safety net. */
export const SAFETY_NET = 30_000;

/** Fraction of the read budget that is spent on jobs that have probably ended. */
const READ_BUDGET_FRACTION = 0.9;

/**
 * Decides when a watched job that is not waiting behind others is read next.
 *
 * Where notices tell of all that is of interest, reads are a safety net, counted from the last read: notices of any rate
 * do not keep a job from being read. So they are where only the end is of interest and notices tell of it. Where only the end is of interest and execution times are known, the job is read when it has probably ended:
 * the more ends plain reads must find than the limits allow reads, the more probable that must be.
 * What was learned of other jobs may be wrong for this one, so it is read at least every 30 s, or as often as the limits
 * allow for so many jobs.
 * Any other job is read at the pace of its poll policy, and where only the end is of interest no faster than the limits
 * allow for all such jobs together.
 *
 * Throws `ConfigurationError` where the caller's own policy throws.
 *
 * @returns the time of the next read, on the clock of `now`
 */
export function nextReadAt(facts: ReadFacts): number {
  const { now, endOnly, failures, ownPolicy, executions, rate, jobsToRead } = facts;
  if (facts.isFollowed && !failures && !ownPolicy) return Math.max(now, facts.readAt + SAFETY_NET);
  if (facts.endsAreNoticed && endOnly && !failures && !ownPolicy) return now + SAFETY_NET;
  // Negative for a job that is not known to run.
  const elapsed = now - (facts.runningSince ?? Infinity);
  if (endOnly && !failures && !ownPolicy) {
    const fairChance = executions.plainRate / rate / READ_BUDGET_FRACTION;
    const chance = facts.besideHeld
      ? MIN_END_CHANCE_BESIDE_HELD
      : Math.min(MAX_END_CHANCE, Math.max(MIN_END_CHANCE, fairChance));
    const remaining = executions.remainingTime(elapsed, chance);
    const latest = Math.max(MAX_READ_GAP, jobsToRead / rate / READ_BUDGET_FRACTION);
    if (remaining !== undefined) return now + Math.min(latest, Math.max(MIN_READ_GAP, remaining));
  }
  const delay = delayOf(facts, elapsed);
  return now + (endOnly ? Math.max(delay, jobsToRead / rate) : delay);
}

/** Plain data about a watched job and its endpoint. Durations are in milliseconds, times on the scheduler's clock. */
export interface ReadFacts {
  readonly now: number;
  /** How long ago the job was submitted, or watching it began. */
  readonly age: number;
  /** Since when the job has run, if it is known to run. */
  readonly runningSince: number | undefined;
  /** How many reads have failed since the last answer. */
  readonly failures: number;
  /** The last answer. */
  readonly snapshot: JobSnapshot | undefined;
  /** Whether only the job's end is of interest. */
  readonly endOnly: boolean;
  /** Whether reads of other jobs are held. */
  readonly besideHeld: boolean;
  /** Whether notices that their source vouches for tell of every end. */
  readonly endsAreNoticed: boolean;
  /** Whether the source of notices follows this job, as far as it is of interest. */
  readonly isFollowed: boolean;
  /** When the last read of the job was answered, or watching it began. */
  readonly readAt: number;
  /** The caller's own policy, which goes before `defaultPolicy`. */
  readonly ownPolicy: PollPolicy | undefined;
  readonly defaultPolicy: PollPolicy;
  /** How long the endpoint's jobs execute. */
  readonly executions: Pick<ExecutionTimes, 'known' | 'plainRate' | 'remainingTime'>;
  /** How many reads a millisecond the limits allow. */
  readonly rate: number;
  /** How many watched jobs share that rate. */
  readonly jobsToRead: number;
  /** What the error of a failing policy says of the job. */
  readonly context: ErrorContext;
}

/** The delay that the poll policy asks for. The default policy goes by the time for which the job has run, if that is known. */
function delayOf(
  { age, failures, snapshot, ownPolicy, defaultPolicy, executions, context }: ReadFacts,
  elapsed: number,
): number {
  const runs = !ownPolicy && executions.known && elapsed > 0;
  const given = { age: runs ? elapsed : age, failures, ...(snapshot && { snapshot }) };
  return policyDelay(ownPolicy ?? defaultPolicy, given, context);
}
