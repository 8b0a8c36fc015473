import type { SchedulerLike } from 'rxjs';
import type { ErrorContext } from '../errors/RunpodError.js';
import type { RateLimiter } from '../http/RateLimiter.js';
import type { PollPolicy } from '../types/PollPolicy.js';
import type { FollowedJobs } from './FollowedJobs.js';
import type { HeldReads } from './HeldReads.js';
import type { KnownJob } from './KnownJob.js';

/** What a a `StatusPoller` works with. */
export interface StatusPollerOptions {
  /** All time comes from it. */
  readonly scheduler: SchedulerLike;
  /** Decides the pace for watchers that bring no policy of their own. */
  readonly policy: PollPolicy;
  /** What errors say of a job. */
  readonly context: (jobId: string) => ErrorContext;
  /** Limits plain reads. */
  readonly rateLimiter: RateLimiter | undefined;
  /** Says whether a read may be held. */
  readonly heldReads: HeldReads;
  /** Called with a watcher's job when the watcher is removed. */
  readonly release: (job: KnownJob) => void;
  /** The jobs that the source of notices follows. */
  readonly followedJobs: Pick<FollowedJobs, 'get'>;
}
