import type { JobModel } from '../../model/JobModel.js';
import type { FeedEvent, FeedQuery, JobRow } from './FeedEvent.js';

/** How many jobs the page shows. */
const MAX_ROWS = 300;

/** The rows of the table of jobs, for one connection: the newest jobs that a query fits. */
export class JobRows {
  readonly #query: FeedQuery;
  /** The revision that was sent of each row. */
  #known = new Map<string, number>();
  #signature = '';

  constructor(query: FeedQuery) {
    this.#query = query;
  }

  /** What has changed since the last call; `undefined` if nothing has. */
  changes(jobs: readonly JobModel[]): FeedEvent['jobs'] {
    const { shown, matching } = this.#newest(jobs);
    const changed = shown.filter(({ id, revision }) => this.#known.get(id) !== revision).map(rowOf);
    const ids = shown.map(({ id }) => id);
    const signature = `${matching} ${jobs.length} ${ids[0] ?? ''} ${ids.at(-1) ?? ''}`;
    if (changed.length === 0 && signature === this.#signature) return undefined;
    this.#signature = signature;
    this.#known = new Map(shown.map(({ id, revision }) => [id, revision]));
    return { ids, changed, matching, total: jobs.length };
  }

  #newest(jobs: readonly JobModel[]): { readonly shown: readonly JobModel[]; readonly matching: number } {
    const { status, endpoint, search } = this.#query;
    if (!status && !endpoint && !search) return { shown: jobs.slice(-MAX_ROWS).reverse(), matching: jobs.length };
    const shown: JobModel[] = [];
    let matching = 0;
    for (let at = jobs.length - 1; at >= 0; at -= 1) {
      const job = jobs[at];
      if (!job || !this.#fits(job)) continue;
      matching += 1;
      if (shown.length < MAX_ROWS) shown.push(job);
    }
    return { shown, matching };
  }

  #fits({ id, status, endpointId }: JobModel): boolean {
    const { status: wanted, endpoint, search } = this.#query;
    return (!wanted || status === wanted) && (!endpoint || endpointId === endpoint) && (!search || id.includes(search));
  }
}

/** A job as the table shows it. */
export function rowOf(job: JobModel): JobRow {
  const { id, endpointId, status, end, submittedAt, endedAt, workerId, retries } = job;
  const startedAt = job.runs.at(-1)?.startedAt;
  return {
    id,
    endpointId,
    status,
    submittedAt,
    retries,
    chunks: chunkCount(job),
    ...(end && { end }),
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(workerId !== undefined && { workerId }),
  };
}

function chunkCount({ earlier, chunks }: JobModel): number {
  return [...earlier, chunks].reduce((sum, { produced }) => sum + produced.length, 0);
}
