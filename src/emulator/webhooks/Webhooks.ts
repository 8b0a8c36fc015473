import { EMPTY, Subscription, defer, map, mergeMap, retry, take, tap, timeout, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Faults } from '../faults/Faults.js';
import type { JobModel } from '../model/JobModel.js';
import { hex, type Random } from '../model/random.js';
import type { EndpointSettings } from '../model/settings.js';
import { refusalOf } from './refusalOf.js';
import { webhookBody } from './webhookBody.js';
import type { WebhookAttempt, WebhookOptions, WebhookRequest } from './WebhookOptions.js';

const DEFAULT_PAUSES: readonly number[] = [5_000, 15_000];

/** Posts ended jobs to their webhook URLs. The outcome of a delivery does not change the job. */
export class Webhooks {
  readonly #settings: EndpointSettings;
  readonly #options: WebhookOptions;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #deliveries = new Subscription();

  constructor(settings: EndpointSettings, options: WebhookOptions, faults: Faults, random: Random) {
    this.#settings = settings;
    this.#options = options;
    this.#faults = faults;
    this.#random = random;
  }

  /** Takes a snapshot of the job, and posts it from the scheduler's next turn on. */
  deliver(job: JobModel): void {
    const url = job.submission.webhook;
    if (url === undefined || !this.#options.send || this.#deliveries.closed) return;
    const refusal = refusalOf(url, this.#options.allow ?? []);
    if (refusal !== undefined) {
      this.#refuse(job, refusal);
      return;
    }
    const request: WebhookRequest = {
      url,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Go-http-client/2.0',
        traceparent: `00-${hex(this.#random, 32)}-${hex(this.#random, 16)}-01`,
      },
      body: webhookBody(job),
    };
    this.#start(this.#attempts(job, request));
    if (this.#faults.forJob('duplicate-webhook', job)) this.#start(this.#attempts(job, request));
  }

  close(): void {
    this.#deliveries.unsubscribe();
  }

  #start(attempts$: Observable<never>): void {
    const delivery = attempts$.subscribe({
      // The last attempt failed; the ledger holds every attempt.
      error: () => undefined,
    });
    this.#deliveries.add(delivery);
    delivery.add(() => this.#deliveries.remove(delivery));
  }

  #attempts(job: JobModel, request: WebhookRequest): Observable<never> {
    const { scheduler } = this.#settings;
    const { pauses = DEFAULT_PAUSES } = this.#options;
    return timer(0, scheduler).pipe(
      mergeMap(() => this.#attempt(job, request)),
      retry({ count: pauses.length, delay: (_, attempt) => timer(pauses[attempt - 1] ?? 0, scheduler) }),
    );
  }

  /** One attempt: completes if the answer's status is 2xx, and errors otherwise. */
  #attempt(job: JobModel, request: WebhookRequest): Observable<never> {
    const { scheduler } = this.#settings;
    const { send = () => EMPTY, timeout: each = 10_000 } = this.#options;
    return defer(() => {
      const at = scheduler.now();
      const record = (result: Omit<WebhookAttempt, 'at'>): void => {
        job.webhookAttempts.push({ at, ...result });
      };
      return send(request).pipe(
        take(1),
        timeout({ each, scheduler }),
        tap({
          next: (status) => record({ status }),
          error: (error: unknown) => record({ failure: error instanceof Error ? error.message : String(error) }),
        }),
        map((status) => {
          if (status < 200 || status > 299) throw new Error(`answered with ${status}`);
          return status;
        }),
        mergeMap(() => EMPTY),
      );
    });
  }

  #refuse(job: JobModel, failure: string): void {
    const { scheduler, id: endpointId, log } = this.#settings;
    const at = scheduler.now();
    job.webhookAttempts.push({ at, failure });
    log({ at, endpointId, jobId: job.id, workerId: job.workerId ?? '', parts: [`webhook not sent: ${failure}`] });
  }
}
