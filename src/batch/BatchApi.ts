import {
  EMPTY,
  defer,
  distinctUntilChanged,
  expand,
  from,
  map,
  mergeMap,
  repeat,
  takeWhile,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { assertOptions } from '../errors/invalidOptions.js';
import { invalidRequest } from '../errors/invalidRequest.js';
import {
  ResponseError,
  type CallOptions,
  type Endpoint,
  type ErrorContext,
  type JobRequest,
  type Reply,
} from '../index.js';
import { longDuration, type Checks } from '../protocol/checkOptions.js';
import { jobBody } from '../protocol/jobBody.js';
import { isRecord, parseJson, sameJson } from '../protocol/json.js';
import { readChildren, type BatchChild, type ChildrenPage } from './BatchChild.js';
import { BatchCancels } from './BatchCancels.js';
import { rideOut } from './rideOut.js';
import { isBatchOver, readSummaries, readSummary, unreadable, type BatchSummary } from './BatchSummary.js';

/** How many requests of a batch are asked for at a time. The service may give fewer. */
const PAGE_SIZE = 1_000;

/** How long failures that may pass are ridden out, in milliseconds. */
export const OUTAGE = 300_000;

/** Options of {@link BatchApi.watch}; all durations in milliseconds. */
export interface WatchBatchOptions {
  /**
   * How long after each answer the batch is read again.
   * @defaultValue 5 000
   */
  readonly every?: number;
  /**
   * How long failures that may pass are ridden out.
   * @defaultValue 300 000
   */
  readonly outage?: number;
}

const WATCH: Checks<WatchBatchOptions> = { every: longDuration, outage: longDuration };

/**
 * The calls of the batch API, one method each. All are cold, and keep within the client's limits and
 * rules of repeating: a call that changes something is not repeated where the service may have accepted it, and errors with
 * `SubmissionUnknownError` then. Unsubscribing from such a call does not take it back.
 */
export class BatchApi<I extends object, O> {
  readonly endpoint: Endpoint<I, O>;
  /** @internal */
  readonly scheduler: SchedulerLike;
  readonly #cancels: BatchCancels;

  /** @internal */
  constructor(endpoint: Endpoint<I, O>, scheduler: SchedulerLike) {
    this.endpoint = endpoint;
    this.scheduler = scheduler;
    this.#cancels = new BatchCancels(scheduler);
  }

  /** Makes a draft: `POST /batch`. Emits its id and completes. The draft counts among the ten that may be active. */
  create(requests: readonly JobRequest<I>[] = [], call?: CallOptions): Observable<string> {
    return defer(() => this.#send('batch', `[${this.#bodiesOf(requests).join(',')}]`, call)).pipe(
      map(({ text }) => {
        const body = parseJson(text);
        if (!isRecord(body) || typeof body.id !== 'string') throw unreadable(text, this.context('batch'));
        return body.id;
      }),
    );
  }

  /** Adds requests to a draft: `POST /batch/{id}/requests`, at most 10 MiB. Emits nothing. */
  append(id: string, requests: readonly JobRequest<I>[], call?: CallOptions): Observable<never> {
    return defer(() => this.appendBodies(id, this.#bodiesOf(requests), call));
  }

  /** @internal Adds requests that are JSON already. */
  appendBodies(id: string, bodies: readonly string[], call?: CallOptions): Observable<never> {
    return this.#done(this.#send(`batch/${id}/requests`, `{"requests":[${bodies.join(',')}]}`, call));
  }

  /** Has a draft run: `POST /batch/{id}/finalize`. From now on it costs money. Emits nothing. */
  finalize(id: string, call?: CallOptions): Observable<never> {
    return this.#done(this.#send(`batch/${id}/finalize`, undefined, call));
  }

  /** Gives a batch a name: `PUT /batch/{id}`. Emits nothing. */
  rename(id: string, name: string, call?: CallOptions): Observable<never> {
    const body = { name };
    return this.#done(this.endpoint.request(`batch/${id}`, { ...call, method: 'PUT', body }));
  }

  /** Removes a request from a draft: `DELETE /batch/{id}/requests/{request}`. Emits nothing. */
  remove(id: string, requestId: string, call?: CallOptions): Observable<never> {
    return this.#done(this.endpoint.request(`batch/${id}/requests/${requestId}`, { ...call, method: 'DELETE' }));
  }

  /** Cancels a batch: `POST /batch/{id}/cancel`. Requests that run finish; it is CANCELLED once they have. Emits nothing. */
  cancel(id: string, call?: CallOptions): Observable<never> {
    return this.#done(this.#send(`batch/${id}/cancel`, undefined, call));
  }

  /** Reads all batches: `GET /batch`. Emits one list, the newest first, and completes. */
  list(call?: CallOptions): Observable<readonly BatchSummary[]> {
    return this.endpoint.request('batch', call).pipe(map((reply) => readSummaries(reply, this.context('batch'))));
  }

  /** Reads a batch: `GET /batch/{id}`. Emits one value and completes. */
  summary(id: string, call?: CallOptions): Observable<BatchSummary> {
    return this.endpoint.request(`batch/${id}`, call).pipe(map((reply) => readSummary(reply, this.context('batch'))));
  }

  /**
   * Reads the requests of a batch, page by page: `GET /batch/{id}/requests`. Emits each once, in the order of the list, and
   * completes. The list may grow at its beginning meanwhile.
   */
  children(id: string, call?: CallOptions): Observable<BatchChild> {
    return defer(() => {
      const seen = new Set<string>();
      const read = (offset: number): Observable<ChildrenPage & { readonly next: number }> =>
        this.endpoint.request(`batch/${id}/requests`, { ...call, query: { offset, limit: PAGE_SIZE } }).pipe(
          map((reply) => readChildren(reply, this.context('batch'))),
          map(({ children, size, hasMore }) => {
            const news = children.filter(({ id: child }) => !seen.has(child) && seen.add(child));
            // A service that knows no offset would give the same page for ever.
            const isRepeated = children.length > 0 && news.length === 0;
            return { children: news, size, hasMore: hasMore && size > 0 && !isRepeated, next: offset + size };
          }),
        );
      return read(0).pipe(
        expand(({ hasMore, next }) => (hasMore ? read(next) : EMPTY)),
        mergeMap(({ children }) => from(children)),
      );
    });
  }

  /**
   * Reads a batch until it is over. Emits a summary whenever it differs from the one before, and completes after the last one.
   * Errors where it cannot be read for `outage`. Unsubscribing does nothing to the batch.
   */
  watch(id: string, options: WatchBatchOptions = {}): Observable<BatchSummary> {
    assertOptions('watch', options, WATCH);
    const { every = 5_000, outage = OUTAGE } = options;
    const { scheduler } = this;
    return this.summary(id).pipe(
      rideOut({ scheduler, every, outage }),
      repeat({ delay: () => timer(every, scheduler) }),
      takeWhile((summary) => !isBatchOver(summary), true),
      distinctUntilChanged((one, other) => sameJson(one.raw, other.raw)),
    );
  }

  /**
   * Completes once every batch that was left is cancelled, as far as it could be, and so is every draft that was being made
   * then. Emits nothing and never errors.
   */
  settled(): Observable<never> {
    return this.#cancels.settled();
  }

  /** @internal Cancels a batch that was left, whether or not anybody waits for it. */
  leave(id: string): void {
    this.#cancels.track(this, id);
  }

  /** @internal Has `settled` wait for a source, too. */
  beforeSettled<T>(source: Observable<T>): Observable<T> {
    return this.#cancels.waitFor(source);
  }

  /** @internal */
  responseError(message: string): ResponseError {
    return new ResponseError(message, this.context('batch'), { excerpt: '' });
  }

  /** @internal */
  context(operation: string): ErrorContext {
    return { operation, endpointId: this.endpoint.id };
  }

  #bodiesOf(requests: readonly JobRequest<I>[]): string[] {
    return requests.map((request) => {
      const { body, issues } = jobBody(request, 'run');
      if (issues.length) throw invalidRequest(issues, this.context('batch'));
      return body;
    });
  }

  #send(operation: string, body: string | undefined, call: CallOptions | undefined): Observable<Reply> {
    return this.endpoint.request(operation, { ...call, method: 'POST', ...(body !== undefined && { body }) });
  }

  /** What the answers to changes hold is not documented. */
  #done(reply$: Observable<Reply>): Observable<never> {
    return reply$.pipe(mergeMap(() => EMPTY));
  }
}
