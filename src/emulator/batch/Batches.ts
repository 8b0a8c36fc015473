import type { JobQueue } from '../model/JobQueue.js';
import { workerName, type Random } from '../model/random.js';
import type { Submission } from '../model/JobModel.js';
import { Batch } from './Batch.js';

/** Batches of one endpoint that are active at once. */
const MAX_ACTIVE_BATCHES = 10;
/** Requests in one batch. */
const MAX_BATCH_REQUESTS = 5_000;
/** Unfinished requests of all batches together. */
const MAX_QUEUED_REQUESTS = 50_000;
/** Batches that can still be read after their end. */
const MAX_ENDED_BATCHES = 100;

/** The batches of an endpoint. A method that refuses returns the reason as text. */
export class Batches {
  readonly #queue: JobQueue;
  readonly #random: Random;
  readonly #batches = new Map<string, Batch>();

  constructor(queue: JobQueue, random: Random) {
    this.#queue = queue;
    this.#random = random;
  }

  list(): readonly Batch[] {
    this.#queue.ageAll();
    return [...this.#batches.values()];
  }

  find(id: string): Batch | undefined {
    this.#queue.ageAll();
    return this.#batches.get(id);
  }

  create(submissions: readonly Submission[]): Batch | string {
    const { id: endpointId, scheduler } = this.#queue.settings;
    const ended = this.list().filter(({ active }) => !active);
    if (this.#batches.size - ended.length >= MAX_ACTIVE_BATCHES)
      return `batch: at most ${MAX_ACTIVE_BATCHES} can be active`;
    const batch = new Batch(`batch_${this.#name()}`, endpointId, scheduler.now());
    const refusal = this.append(batch, submissions);
    if (refusal !== undefined) return refusal;
    for (const { id } of ended.slice(0, Math.max(0, ended.length - MAX_ENDED_BATCHES))) this.#batches.delete(id);
    this.#batches.set(batch.id, batch);
    return batch;
  }

  append(batch: Batch, submissions: readonly Submission[]): string | undefined {
    if (batch.status !== 'DRAFT') return `batch: is ${batch.status}`;
    if (batch.requests.length + submissions.length > MAX_BATCH_REQUESTS) {
      return `requests: at most ${MAX_BATCH_REQUESTS} fit into a batch`;
    }
    if (this.#queued() + submissions.length > MAX_QUEUED_REQUESTS)
      return `requests: at most ${MAX_QUEUED_REQUESTS} can be queued`;
    batch.requests.push(...submissions.map((submission) => ({ id: `req_${this.#name()}`, submission })));
    return undefined;
  }

  finalize(batch: Batch): string | undefined {
    if (batch.status !== 'DRAFT') return `batch: is ${batch.status}`;
    batch.finalize((submission, id) => this.#queue.submit(submission, id));
    return undefined;
  }

  cancel(batch: Batch): string | undefined {
    if (!batch.cancellable)
      return `batch: is ${batch.status === 'FINALIZED' ? 'over or being cancelled' : batch.status}`;
    batch.cancel((job) => void this.#queue.cancel(job));
    return undefined;
  }

  /** Removes a request from a draft. Returns `'unknown'` if the batch has no such request. */
  remove(batch: Batch, requestId: string): string | undefined {
    const request = batch.requests.find(({ id }) => id === requestId);
    if (!request) return 'unknown';
    if (batch.status !== 'DRAFT') return `batch: is ${batch.status}`;
    batch.remove(request);
    return undefined;
  }

  #queued(): number {
    return this.list().reduce((sum, { requests }) => sum + requests.filter(({ job }) => !job?.over).length, 0);
  }

  #name(): string {
    return workerName(this.#random).slice(0, 10);
  }
}
