import type { Observable, SchedulerLike } from 'rxjs';
import type { Endpoint, Job, OnBehalf } from '../index.js';
import type { DurableOptions } from './DurableOptions.js';
import type { PendingRecords } from './PendingRecords.js';
import type { RowStore } from './RowWriter.js';

/** What becomes of jobs that are left: as their options say, or they go on. */
export interface Departure {
  detaches: boolean;
}

/** What all inputs of a `durable` share. */
export interface DurableTerms<I extends object, O, C>
  extends
    Omit<DurableOptions<I>, 'store' | 'key' | 'ambiguous' | 'grace' | 'ended' | 'scheduler'>,
    Required<Pick<DurableOptions<I>, 'ambiguous' | 'grace' | 'ended'>> {
  readonly store: RowStore;
  readonly endpoint: Endpoint<I, O, C>;
  /** For tracers: makes jobs on behalf of who has asked for this one. */
  readonly onBehalf: OnBehalf | undefined;
  readonly scheduler: SchedulerLike;
  /** The wall clock, in milliseconds since 1970. */
  readonly wallNow: () => number;
  readonly pending: PendingRecords;
  /** Goes along with a job for as long as it is followed. What it emits is of no interest, and its errors have no effect. */
  readonly alongside?: (job: Job<O, C>) => Observable<unknown>;
  /** Whether a job that this side has cancelled is over by that; otherwise it is run again next time. */
  readonly cancelEnds?: boolean;
  /** What becomes of jobs that are left. */
  readonly departure: Departure;
}
