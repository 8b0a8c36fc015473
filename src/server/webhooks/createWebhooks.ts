import { AsyncSubject, defer, from, type Observable } from 'rxjs';
import { assertOptions, invalidOptions } from '../../errors/invalidOptions.js';
import type { JobRequest } from '../../index.js';
import { anything, copyable, type Checks } from '../../protocol/checkOptions.js';
import { checkJobId, kindOf } from '../../protocol/checks.js';
import { durationScheduler } from '../../time/clocks.js';
import { assertRequest } from '../assertRequest.js';
import type { Handler } from '../Handler.js';
import { KeptNotices } from './KeptNotices.js';
import { memoryStore } from './memoryStore.js';
import type { ResolvedKey } from './ResolvedKey.js';
import { WebhookBindings } from './WebhookBindings.js';
import { WebhookReceiver } from './WebhookReceiver.js';
import { KEY_RULE, WebhookTokens, isKey } from './WebhookTokens.js';
import { checksOfWebhooks, type WebhooksOptions } from './WebhooksOptions.js';

/** The receiver of an application's webhooks. Its functions may be passed on by themselves. */
export interface Webhooks {
  /**
   * The request with a `webhook` that carries the key and its token, in place of any other. Give it to `beforeSubmit`, or
   * submit it. The URL is a secret of the job's: do not log it.
   *
   * Throws `ConfigurationError` for a key that is empty, longer than 256 characters, or has half surrogate pairs.
   *
   * @param key - your own name for the input, such as the id of an order. One key is for one job
   */
  sign<I extends object>(request: JobRequest<I>, key: string): JobRequest<I>;
  /**
   * Says that a key became a job, which counts more than what any webhook says. There is no need to where the client that
   * submitted the job listens to `notices`: it knows. Say it where the job is followed by another client, as after a
   * restart; then its end, too, is taken from the webhook without a read.
   *
   * Acts at the call. The Observable emits nothing, completes once the store has it, and errors with the store's error;
   * unsubscribing changes nothing. Throws `ConfigurationError` for what cannot be a key or an id.
   */
  submitted(key: string, id: string): Observable<never>;
  /**
   * Which job a key has become, as far as the `store` knows: what you said by `submitted`, or else the first webhook of the
   * key, which may have come to another process. Emits the id, or `undefined`, and completes; errors with the store's error.
   * As on `resolved$`, anybody who has the key's URL can have said so. Throws `ConfigurationError` for what cannot be a key.
   */
  jobOf(key: string): Observable<string | undefined>;
  /**
   * Answers the service's requests. Never rejects. Answers 200 to a webhook that it has taken, also when it comes again; 403
   * without a valid token, before anything is read; 400, 405, 408, 413 and 415 to what is no webhook; and 503 where the
   * store fails, so that the service sends it again.
   */
  readonly handle: Handler;
  /**
   * For the client's option `notices`. The ends of the last two minutes come first, for a client that begins to listen
   * only then: the newest thousand, and 64 MiB of them. Never errors and never completes.
   */
  readonly notices: Observable<unknown>;
  /**
   * Which job a key became, from the first webhook of the key: the job of a submission whose answer was lost. Emits once
   * for each key, to who listens then: subscribe before requests are served. Never errors and never completes.
   *
   * Anybody who has the key's URL can have said so. Attach to the job, and believe what the service says of it.
   */
  readonly resolved$: Observable<ResolvedKey>;
}

const REQUEST: Checks<JobRequest> = { input: anything, webhook: anything, policy: anything, s3Config: anything };

/**
 * Receives the webhooks of RunPod: has the jobs of a client ended by them without a read, and finds the job of a submission
 * whose answer was lost. The service does not sign what it posts, so the URL carries a token that belongs to a key of yours.
 *
 * ```ts
 * const webhooks = createWebhooks({ url: 'https://example.com/hooks/runpod', secret: process.env.WEBHOOK_SECRET });
 * const client = runpod({ notices: webhooks.notices });
 * const job = endpoint.job(request, { beforeSubmit: (request) => of(webhooks.sign(request, orderId)) });
 * app.use('/hooks/runpod', toExpress(webhooks.handle));
 * ```
 *
 * What comes with a valid token is an answer only for the job that the client submitted with this very URL, or that you have
 * named by `submitted`. For any other job, it hurries one read. What comes without a token does nothing.
 *
 * The service tries three times, and a job without a webhook is found over by reading: webhooks save time and reads, and
 * nothing depends on them. Holds no timers and no connections, so there is nothing to close.
 *
 * Throws `ConfigurationError` for options that cannot work.
 */
export function createWebhooks(options: WebhooksOptions): Webhooks {
  assertOptions('createWebhooks', options, checksOfWebhooks);
  const { url, secret = '', maxBody = 20 * 1024 * 1024, parse = JSON.parse } = options;
  const scheduler = durationScheduler(options.scheduler);
  const tokens = new WebhookTokens(url, typeof secret === 'string' ? [secret] : [...secret]);
  const bindings = new WebhookBindings(options.store ?? memoryStore(scheduler));
  const notices = new KeptNotices(scheduler);
  const receiver = new WebhookReceiver({ tokens, bindings, notices, maxBody, parse, scheduler });
  return {
    sign: (request, key) => {
      assertKey('sign', key);
      return { ...copyable<JobRequest<object>>(request, REQUEST), webhook: tokens.urlFor(key) } as typeof request;
    },
    submitted: (key, id) => {
      assertKey('submitted', key);
      const issues = checkJobId('id', id);
      if (issues.length) throw invalidOptions('submitted', issues);
      const stored$ = new AsyncSubject<never>();
      from(bindings.tell(key, id)).subscribe({
        error: (error: unknown) => {
          stored$.error(error);
        },
        complete: () => {
          stored$.complete();
        },
      });
      return stored$.asObservable();
    },
    jobOf: (key) => {
      assertKey('jobOf', key);
      return defer(() => bindings.jobOf(key));
    },
    handle: async (request) => {
      assertRequest('createWebhooks', request);
      return receiver.handle(request);
    },
    notices: notices.notices$,
    resolved$: receiver.resolved$,
  };
}

function assertKey(operation: string, key: unknown): void {
  if (!isKey(key)) throw invalidOptions(operation, [{ field: 'key', given: kindOf(key), rule: KEY_RULE }]);
}
