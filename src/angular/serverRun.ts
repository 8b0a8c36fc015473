import { PendingTasks, inject } from '@angular/core';
import { concat, map, noop, tap, type Observable } from 'rxjs';
import type { Job, JobEvent } from '../index.js';
import type { FollowContext } from './FollowContext.js';
import type { JobSignals } from './JobSignals.js';
import type { Handovers } from './handover.js';

/** How long rendering waits for a job, in milliseconds, unless the caller says otherwise. */
const SERVER_WAIT = 5_000;

/** What has a server's rendering wait for a job. */
export interface ServerRun {
  /** Follows a job until it is over, or rendering has waited for long enough, and hands it over to the page. */
  follow(followed: JobSignals<unknown, unknown>, endpointId: string | undefined, stream: boolean): void;
}

/** @param wait - how long rendering waits, in milliseconds */
export function serverRun(handed: Handovers, { scheduler }: FollowContext, wait = SERVER_WAIT): ServerRun {
  const tasks = inject(PendingTasks);
  return {
    follow: (followed, endpointId, stream) => {
      const release = tasks.add();
      let isOver = false;
      const stop = (conclude: () => void) => {
        if (isOver) return;
        isOver = true;
        bound.unsubscribe();
        conclude();
        release();
      };
      const finish = () => {
        stop(() => {
          handOver(followed, endpointId, handed);
        });
      };
      // Another job is wanted instead, or rendering was given up.
      const whenLeft = { unsubscribe: () => stop(noop) };
      const bound = scheduler.schedule(finish, wait);
      followed.follow(eventsOnServer(followed.job, stream).pipe(tap(whenLeft)), finish);
    },
  };
}

/**
 * A stream is read once the job is over, and then to its end at once. A read that is broken off may lose chunks, and the page
 * would have to wait for the job's end to learn what they were.
 */
function eventsOnServer<O, C>(job: Job<O, C>, stream: boolean): Observable<JobEvent<O, C>> {
  if (!stream) return job.events$;
  const states$ = job.state$.pipe(map((snapshot) => ({ type: 'state', snapshot }) as const));
  return concat(states$, job.events$);
}

function handOver(followed: JobSignals<unknown, unknown>, endpointId: string | undefined, handed: Handovers): void {
  const { content: request } = followed.wanted;
  const ref = followed.giveUp();
  if (ref) {
    handed.add({ endpointId, request, ref, ...followed.known });
    return;
  }
  followed.leave();
  // The page submits a job of its own, whatever the policy of this one is.
  followed.cancel();
  const error = followed.error();
  if (error?.code === 'submission_unknown') handed.add({ endpointId, request, lost: error.message });
}
