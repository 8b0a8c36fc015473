import {
  Subject,
  asyncScheduler,
  concat,
  distinctUntilChanged,
  from,
  map,
  merge,
  mergeMap,
  of,
  startWith,
  throttleTime,
} from 'rxjs';
import type { Observable } from 'rxjs';
import type { Inspection } from '../../inspect/Inspection.js';
import type { JobModel } from '../../model/JobModel.js';

/** How many of the page's jobs are followed: the latest. */
const MAX_JOBS = 100;

/** How many characters of a job an event may have. The page reads a larger one. */
const MAX_JOB_LENGTH = 64_000;

/** Milliseconds between two events of one job. */
const INTERVAL = 100;

/** What happens to the jobs that the page submits, in the form that `eventNotices` of `runpod-rx/events` reads. */
export class JobNotices {
  readonly #inspection: Inspection;
  readonly #jobs = new Set<JobModel>();
  readonly #submitted$ = new Subject<JobModel>();

  constructor(inspection: Inspection) {
    this.#inspection = inspection;
  }

  /** Follows a job from now on. */
  follow(job: JobModel): void {
    this.#jobs.add(job);
    const [oldest] = this.#jobs;
    if (oldest && this.#jobs.size > MAX_JOBS) this.#jobs.delete(oldest);
    this.#submitted$.next(job);
  }

  /** The events of one connection: the state of each followed job, and each change from now on. Never completes. */
  connect(): Observable<string> {
    const jobs$ = merge(from([...this.#jobs]), this.#submitted$);
    return concat(of(eventOf('hello', '{}')), jobs$.pipe(mergeMap((job) => this.#changesOf(job))));
  }

  #changesOf(job: JobModel): Observable<string> {
    return job.changed$.pipe(
      startWith(undefined),
      // A stream has many chunks a second, and each is a change of its job.
      throttleTime(INTERVAL, asyncScheduler, { leading: true, trailing: true }),
      map(() => this.#inspection.statusOf(job)),
      distinctUntilChanged(),
      map((text) => {
        const isShort = text.length <= MAX_JOB_LENGTH;
        const body = isShort ? text : JSON.stringify({ id: job.id });
        return eventOf('job', `{"job":${body},"follows":"${isShort ? 'changes' : 'nothing'}"}`);
      }),
    );
  }
}

function eventOf(type: string, data: string): string {
  return `event: ${type}\ndata: ${data}\n\n`;
}
