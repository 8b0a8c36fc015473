import { Subject, TimeoutError, firstValueFrom, from, timeout, type Observable, type SchedulerLike } from 'rxjs';
import { isTerminal, vouchedNotice, type JobSnapshot, type JsonParser } from '../../index.js';
import { errorAnswer, jsonAnswer } from '../jsonAnswer.js';
import type { KeptNotices } from './KeptNotices.js';
import { parseJob, type PostedJob } from './parseJob.js';
import { TooLargeError, readBody } from '../readBody.js';
import type { ResolvedKey } from './ResolvedKey.js';
import type { WebhookBindings } from './WebhookBindings.js';
import type { ProvedKey, WebhookTokens } from './WebhookTokens.js';

/** How long a body may take, and how long the store may take, in milliseconds. */
const BODY_TIME = 30_000;
const STORE_TIME = 10_000;

/** How many keys of webhooks that could not be taken are remembered: the newest. */
const MAX_FAILED = 10_000;

/** What a {@link WebhookReceiver} works with. */
export interface ReceiverOptions {
  /** Says what a URL proves. */
  readonly tokens: WebhookTokens;
  /** Says what a job is to a key. */
  readonly bindings: WebhookBindings;
  /** Takes what the clients are told. */
  readonly notices: KeptNotices;
  /** The largest body, in bytes. */
  readonly maxBody: number;
  /** Makes a value of a body's text. */
  readonly parse: JsonParser;
  /** All time comes from it. */
  readonly scheduler: SchedulerLike;
}

/** Answers the requests that come to the URLs of webhooks, and tells of the jobs that they tell of. */
export class WebhookReceiver {
  /** The job of each key, once. */
  readonly resolved$: Observable<ResolvedKey>;
  readonly #resolving$ = new Subject<ResolvedKey>();
  readonly #options: ReceiverOptions;
  /** The keys of webhooks that could not be taken because the store failed. */
  readonly #failed = new Set<string>();

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.resolved$ = this.#resolving$.asObservable();
  }

  /** Never rejects. */
  async handle(request: Request): Promise<Response> {
    try {
      return await this.#receive(request);
    } catch {
      // Nothing of ours throws; a foreign `Request` may.
      return errorAnswer(400, 'the request cannot be read');
    }
  }

  async #receive(request: Request): Promise<Response> {
    const { tokens, bindings, scheduler, parse } = this.#options;
    if (request.method !== 'POST') return errorAnswer(405, 'webhooks are posted', { allow: 'POST' });
    // Before anything is read: without a token, a request costs nothing but this answer, and does nothing.
    const proved = tokens.prove(request.url);
    if (!proved) return errorAnswer(403, 'the URL has no valid token');
    const body = await this.#bodyOf(request);
    if (body instanceof Response) return body;
    const posted = parseJob(body, parse);
    if (typeof posted === 'string') return errorAnswer(400, posted);
    // What does not tell of an end binds nothing. It should not come.
    if (!isTerminal({ status: posted.status } as JobSnapshot)) {
      this.#options.notices.hint(posted.id);
      return jsonAnswer(200, { ok: true });
    }
    let claim: Awaited<ReturnType<WebhookBindings['claim']>>;
    try {
      const claim$ = from(bindings.claim(proved.key, posted.id));
      claim = await firstValueFrom(claim$.pipe(timeout({ first: STORE_TIME, scheduler })));
    } catch {
      this.#noteFailure(proved.key);
      return errorAnswer(503, 'the store of webhooks failed: send it again');
    }
    this.#tell(proved, posted, body.byteLength, claim);
    return jsonAnswer(200, { ok: true });
  }

  /** The bytes of a request, or the answer to one whose bytes are not taken. */
  async #bodyOf(request: Request): Promise<Uint8Array | Response> {
    const { maxBody, scheduler } = this.#options;
    const tooLarge = () => errorAnswer(413, `the body is larger than ${maxBody} bytes`);
    const coding = request.headers.get('content-encoding') ?? 'identity';
    if (coding.trim().toLowerCase() !== 'identity')
      return errorAnswer(415, 'compressed bodies are not taken', { 'accept-encoding': 'identity' });
    if (Number(request.headers.get('content-length') ?? 0) > maxBody) return tooLarge();
    if (request.bodyUsed)
      return errorAnswer(400, 'the body was read before: put this handler before parsers of bodies');
    const bytes$ = readBody(request.body, maxBody).pipe(timeout({ first: BODY_TIME, scheduler }));
    try {
      return await firstValueFrom(bytes$);
    } catch (error) {
      if (error instanceof TooLargeError) return tooLarge();
      return error instanceof TimeoutError
        ? errorAnswer(408, 'the body took too long')
        : errorAnswer(400, 'the body broke off');
    }
  }

  /** Remembers that a webhook of a key could not be taken, and will come again. */
  #noteFailure(key: string): void {
    this.#failed.add(key);
    const [oldest = ''] = this.#failed;
    if (this.#failed.size > MAX_FAILED) this.#failed.delete(oldest);
  }

  #tell(
    { key, webhook }: ProvedKey,
    { id, job }: PostedJob,
    bytes: number,
    { standing, isFirst }: Awaited<ReturnType<WebhookBindings['claim']>>,
  ): void {
    const { notices } = this.#options;
    if (standing === 'other') {
      notices.hint(id);
      return;
    }
    // Also where the store has taken the first claim, and failed to say so: nobody has been told of it.
    if (this.#failed.delete(key) || isFirst) this.#resolving$.next({ key, id });
    // Whoever has the URL can claim. Only a client that has submitted the job with this URL takes its word.
    const notice = vouchedNotice(job, standing === 'told' ? {} : { webhook });
    notices.end([standing, id, webhook].join(' '), { id, notice, bytes });
  }
}
