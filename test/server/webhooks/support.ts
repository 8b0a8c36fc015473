import { createWebhooks, type WebhooksOptions } from 'runpod-rx/server';
import { vouchedBy } from '../../../src/protocol/vouchedNotice.js';
import { clock } from '../../support/world.js';

export const url = 'https://example.com/hooks/runpod?tenant=a%20b';
export const secret = 'a-secret-of-the-tests';

/** What a notice says, and for whom it vouches: `no` one, the job with the `url`, or `any` that it names. */
export interface Told {
  readonly vouched: 'no' | 'url' | 'any';
  readonly job: unknown;
  readonly webhook?: string | undefined;
}

export function toldBy(notice: unknown): Told {
  const job = vouchedBy(notice)?.job;
  const webhook = vouchedBy(notice)?.webhook;
  if (job === undefined) return { vouched: 'no', job: notice };
  return webhook === undefined ? { vouched: 'any', job } : { vouched: 'url', job, webhook };
}

/** A receiver on a clock of its own, and everything that it tells. */
export function receiver(options: Partial<WebhooksOptions> = {}) {
  const time = clock();
  const webhooks = createWebhooks({ url, secret, scheduler: time.scheduler, ...options });
  const notices = time.see(webhooks.notices);
  const resolved = time.see(webhooks.resolved$).values;
  const urlOf = (key: string) => webhooks.sign({ input: { x: 1 } }, key).webhook!;
  const send = async (target: string, init: RequestInit & { readonly duplex?: 'half' }) => {
    const response = await webhooks.handle(new Request(target, { method: 'POST', ...init }));
    const body = await response.text();
    return { status: response.status, headers: response.headers, body };
  };
  /** Posts a job as the service does. Gives the status. */
  const post = async (target: string, job: unknown) => {
    const body = typeof job === 'string' ? job : JSON.stringify(job);
    const { status } = await send(target, { body, headers: { 'content-type': 'application/json' } });
    return status;
  };
  return { ...time, webhooks, urlOf, send, post, resolved, told: () => notices.values.map(toldBy) };
}

export const ended = (id: string, more: object = {}) => ({ id, status: 'COMPLETED', output: 'done', ...more });
