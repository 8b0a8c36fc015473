/** Marks what its source vouches for. A symbol, since no JSON can hold one: nothing that anybody sent can bear the mark. */
const JOB = Symbol.for('runpod-rx/vouched-job');

/** The webhook of the only job that a notice vouches for. */
const WEBHOOK = Symbol.for('runpod-rx/vouched-webhook');

/** A job object of which its source has made sure that the service sent it. */
export interface VouchedNotice {
  readonly [JOB]: unknown;
  readonly [WEBHOOK]?: string | undefined;
}

/** Options of {@link vouchedNotice}. */
export interface VouchedNoticeOptions {
  /**
   * The webhook URL that the notice came to, as it stood in the submission. Where it is given, the notice counts for the
   * job that the client submitted with this URL, and is a hint for any other: so whoever knows the URL of one job can say
   * nothing of another.
   * @defaultValue the notice counts for the job that it names
   */
  readonly webhook?: string;
}

/**
 * Vouches for a job object, so that a client that gets it through its option `notices` takes it for the service's own
 * answer: an end that it tells of ends the job, without a read.
 *
 * ```ts
 * notices.next(vouchedNotice(body)); // after the webhook's token was checked, and that it is the token of this job
 * ```
 *
 * Vouch only for what nobody else can have sent. Any other job object goes to `notices` as it is, and is a hint: it hurries
 * the next read of its job. So does one of a job that `retry` has run again, since it may tell of the run before.
 * `createWebhooks` of `runpod-rx/server` does all this.
 *
 * @param job - the body of the webhook, parsed
 */
export function vouchedNotice(job: unknown, { webhook }: VouchedNoticeOptions = {}): VouchedNotice {
  return { [JOB]: job, [WEBHOOK]: webhook };
}

/** The job object that a notice vouches for; `undefined` where it does not vouch. */
export function vouchedJob(notice: unknown): unknown {
  return (Object(notice) as Partial<VouchedNotice>)[JOB];
}

/** The webhook of the only job that a notice vouches for; `undefined` where it vouches for the job that it names. */
export function vouchedWebhook(notice: unknown): string | undefined {
  return (Object(notice) as Partial<VouchedNotice>)[WEBHOOK];
}
