import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { defer, from, noop, of, type Observable } from 'rxjs';
import { invalidRequest } from '../errors/invalidRequest.js';
import type { ErrorContext, JobRequest } from '../index.js';
import { jobBody } from '../protocol/jobBody.js';
import { eventually } from '../server/eventually.js';
import type { FailedBatchItem } from './BatchItem.js';

/** A request that goes into a batch. */
export interface DraftRequest<I extends object> {
  readonly index: number;
  readonly request: JobRequest<I>;
  /** The request as it is sent. */
  readonly body: string;
}

/** The requests of one batch. */
export interface Draft<I extends object> {
  /** Which batch of the run this is, from 0. */
  readonly number: number;
  readonly requests: readonly DraftRequest<I>[];
  /** Requests that came between these, and cannot be sent. */
  readonly refused: readonly FailedBatchItem<I, never>[];
  /** Tells the requests apart from others. */
  readonly fingerprint: string;
}

/** How many bytes of the hash are kept: two batches have the same by chance once in 2^64. */
const FINGERPRINT_LENGTH = 16;

/** Takes requests from an iterable, as many as fit into a batch at a time. */
export class RequestReader<I extends object> {
  readonly #requests: Iterable<JobRequest<I>> | AsyncIterable<JobRequest<I>>;
  readonly #batchSize: number;
  readonly #context: ErrorContext;
  #iterator: Iterator<JobRequest<I>> | AsyncIterator<JobRequest<I>> | undefined;
  #hasEnded = false;
  #index = 0;
  #number = 0;

  constructor(
    requests: Iterable<JobRequest<I>> | AsyncIterable<JobRequest<I>>,
    batchSize: number,
    context: ErrorContext,
  ) {
    this.#requests = requests;
    this.#batchSize = batchSize;
    this.#context = context;
  }

  /** How many requests were taken. */
  get taken(): number {
    return this.#index;
  }

  /** The requests of the next batch; `undefined` where there are none. One call at a time. */
  next(): Observable<Draft<I> | undefined> {
    return defer(() => {
      this.#iterator ??= this.#open();
      const draft = new OpenDraft<I>(this.#number++, this.#batchSize);
      return Symbol.asyncIterator in this.#requests ? from(this.#fillLater(draft)) : of(this.#fillNow(draft));
    });
  }

  /** Takes no more requests. */
  close(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    // What goes wrong at its end concerns nobody any more.
    eventually(() => this.#iterator?.return?.()).subscribe({ error: noop });
  }

  #open(): Iterator<JobRequest<I>> | AsyncIterator<JobRequest<I>> {
    const { [Symbol.asyncIterator]: openAsync } = this.#requests as Partial<AsyncIterable<JobRequest<I>>>;
    return openAsync?.call(this.#requests) ?? (this.#requests as Iterable<JobRequest<I>>)[Symbol.iterator]();
  }

  #fillNow(draft: OpenDraft<I>): Draft<I> | undefined {
    while (!draft.isFull && !this.#hasEnded) this.#take(draft, (this.#iterator as Iterator<JobRequest<I>>).next());
    return draft.close();
  }

  async #fillLater(draft: OpenDraft<I>): Promise<Draft<I> | undefined> {
    while (!draft.isFull && !this.#hasEnded)
      this.#take(draft, await (this.#iterator as AsyncIterator<JobRequest<I>>).next());
    return draft.close();
  }

  #take(draft: OpenDraft<I>, { done, value: request }: IteratorResult<JobRequest<I>, unknown>): void {
    if (done) {
      this.#hasEnded = true;
      return;
    }
    const index = this.#index++;
    const { body, issues } = jobBody(request, 'run');
    if (issues.length)
      draft.refused.push({
        ok: false,
        index,
        request: request,
        error: invalidRequest(issues, this.#context),
      });
    else draft.requests.push({ index, request: request, body });
  }
}

/** A batch's requests while they are taken. */
class OpenDraft<I extends object> {
  readonly number: number;
  readonly requests: DraftRequest<I>[] = [];
  readonly refused: FailedBatchItem<I, never>[] = [];
  readonly #batchSize: number;

  constructor(number: number, batchSize: number) {
    this.number = number;
    this.#batchSize = batchSize;
  }

  get isFull(): boolean {
    return this.requests.length >= this.#batchSize;
  }

  close(): Draft<I> | undefined {
    const { number, requests, refused } = this;
    if (requests.length + refused.length === 0) return undefined;
    const hash = sha256.create();
    for (const { body } of requests) hash.update(utf8ToBytes(`${body}\n`));
    return { number, requests, refused, fingerprint: bytesToHex(hash.digest().subarray(0, FINGERPRINT_LENGTH)) };
  }
}
