import type { JobModel, Run } from '../../model/JobModel.js';
import type { RequestRecord } from '../../RequestRecord.js';
import type { FeedEvent, JobDetails, JsonText } from './FeedEvent.js';
import { rowOf } from './JobRows.js';
import { jsonText } from './jsonText.js';

/** How many requests of a job are sent, and among how many of the latest requests they are looked for. */
const MAX_REQUESTS = 50;
const SEARCHED_REQUESTS = 2_000;

/** How many chunks of a job are sent, the latest, and how many characters of one. */
const MAX_CHUNKS = 500;
const MAX_CHUNK_LENGTH = 10_000;

/** The details of one job, for one connection. */
export class DetailsFeed {
  readonly #id: string;
  #signature: string | undefined;
  #chunks: readonly unknown[] = [];

  constructor(id: string) {
    this.#id = id;
  }

  /** What has changed since the last call. */
  changes(
    jobs: readonly JobModel[],
    requests: readonly RequestRecord[],
  ): Pick<FeedEvent, 'details' | 'chunks'> | undefined {
    const job = jobs.find(({ id }) => id === this.#id);
    if (!job) return this.#replace('gone') ? { details: null } : undefined;
    const about = requestsOf(job.id, requests);
    const { revision, cancelRequests, webhookAttempts, forgotten } = job;
    const isNew = this.#replace(
      JSON.stringify([revision, cancelRequests, webhookAttempts.length, forgotten, job.chunks.handedOut, about]),
    );
    const chunks = this.#newChunks(job);
    if (!isNew && !chunks) return undefined;
    return { ...(isNew && { details: detailsOf(job, about) }), ...(chunks && { chunks }) };
  }

  #replace(signature: string): boolean {
    if (this.#signature === signature) return false;
    this.#signature = signature;
    return true;
  }

  #newChunks({ earlier, chunks }: JobModel): FeedEvent['chunks'] {
    const before = this.#chunks;
    const all = [...earlier, chunks].flatMap(({ produced }) => produced);
    this.#chunks = all;
    // The oldest chunks are dropped at times, and all of them in the end.
    const isLonger = all.length >= before.length && all[0] === before[0];
    if (isLonger && all.length === before.length) return undefined;
    const known = isLonger ? before.length : 0;
    const from = Math.max(known, all.length - MAX_CHUNKS);
    return { from, items: all.slice(from).map(chunkText) };
  }
}

function chunkText(chunk: unknown): JsonText {
  return jsonText(chunk ?? null, MAX_CHUNK_LENGTH) ?? { text: 'null', length: 4 };
}

function requestsOf(id: string, requests: readonly RequestRecord[]): readonly RequestRecord[] {
  return requests
    .slice(-SEARCHED_REQUESTS)
    .filter(({ jobId }) => jobId === id)
    .slice(-MAX_REQUESTS);
}

function detailsOf(job: JobModel, requests: readonly RequestRecord[]): JobDetails {
  const { submission, report, progress, webhookAttempts } = job;
  const input = jsonText(submission.wireInput ?? submission.input);
  const output = jsonText(report.output);
  const error = jsonText(report.error);
  const latest = job.over ? undefined : jsonText(progress?.value);
  return {
    ...rowOf(job),
    operation: submission.operation,
    policy: submission.policy,
    ...(input && { input }),
    ...(output && { output }),
    ...(error && { error }),
    ...(latest && { progress: latest }),
    runs: job.runs.map(runOf),
    renewals: job.renewals,
    cancelRequests: job.cancelRequests,
    chunksHandedOut: [...job.earlier, job.chunks].reduce((sum, { handedOut }) => sum + handedOut, 0),
    forgotten: job.forgotten,
    ...(submission.webhook !== undefined && { webhook: webhookAttempts }),
    requests,
  };
}

function runOf({ workerId, startedAt, endedAt, outcome }: Run) {
  return { workerId, startedAt, ...(endedAt !== undefined && { endedAt }), ...(outcome && { outcome }) };
}
