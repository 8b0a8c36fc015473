import type { Observable, SchedulerLike } from 'rxjs';
import type { ErrorContext } from '../errors/RunpodError.js';
import type { RateLimiter } from '../http/RateLimiter.js';
import type { CallOrigin } from '../types/Activity.js';
import type { TerminalSnapshot } from '../types/JobSnapshot.js';
import type { PollPolicy } from '../types/PollPolicy.js';
import type { CallJob } from './WatchRequest.js';

/** What a `JobCache` works with. */
export interface JobCacheOptions {
  /** All time comes from it. */
  readonly scheduler: SchedulerLike;
  /** The wall clock, in milliseconds since 1970. */
  readonly wallNow: () => number;
  /** Makes the calls that read jobs. */
  readonly call: CallJob;
  /** Decides how often a job is read, unless its watcher brings a policy of its own. */
  readonly policy: PollPolicy;
  /** What errors say of a job. */
  readonly context: (jobId: string) => ErrorContext;
  /** Called when a notice tells of a job's end. */
  readonly onEnd: (snapshot: TerminalSnapshot) => void;
  /** The limiter of the endpoint's requests of one operation, where they are limited. */
  readonly rateLimiterFor: (operation: string) => RateLimiter | undefined;
  /** Limits the held reads of all endpoints, where the client's connections are few. */
  readonly connections: RateLimiter | undefined;
  /** Job objects from elsewhere, such as webhooks: hints that those jobs may have changed. */
  readonly notices?: Observable<unknown> | undefined;
}

/** What is known of a submission besides its job. */
export interface SubmissionMarks {
  /** Whether the job was run before. */
  readonly again?: boolean;
  readonly webhook?: string | undefined;
  readonly origin?: CallOrigin | undefined;
}
