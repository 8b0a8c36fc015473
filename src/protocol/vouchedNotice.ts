/** Marks what its source vouches for. A symbol, since no JSON can hold one: nothing that anybody sent can bear the mark. */
const JOB = Symbol.for('runpod-rx/vouched-job');
const FOLLOWS = Symbol.for('runpod-rx/follows');

/**
 * What the source of a notice will tell of a job from now on: every change, the end alone, or nothing that could be relied
 * on.
 */
export type Follows = 'changes' | 'end' | 'nothing';

/** Options of {@link vouchedNotice}. */
export interface VouchedNoticeOptions {
  /**
   * The webhook URL that the notice came to, as it stood in the submission. Where it is given, the notice counts for the
   * job that the client submitted with this URL, and is a hint for any other: so whoever knows the URL of one job can say
   * nothing of another.
   * @defaultValue the notice counts for the job that it names
   */
  readonly webhook?: string;
  /**
   * What the source will tell of the job from now on. While it follows what is of interest, the job is read each 30 s, as a
   * safety net, and not held or probed. `'nothing'` takes that back, and has the job read soon.
   * @defaultValue as before
   */
  readonly follows?: Follows;
}

/** The webhook of the only job that a notice vouches for. */
const WEBHOOK = Symbol.for('runpod-rx/vouched-webhook');

/** A job object of which its source has made sure that the service sent it. */
export interface VouchedNotice {
  readonly [JOB]: unknown;
  readonly [WEBHOOK]?: string | undefined;
  readonly [FOLLOWS]?: Follows | undefined;
}

/**
 * Vouches for a job object, so that a client that gets it through its option `notices` takes it for the service's own
 * answer: an end that it tells of ends the job, without a read, and any other state is the job's newest.
 *
 * ```ts
 * notices.next(vouchedNotice(body)); // after the webhook's token was checked, and that it is the token of this job
 * ```
 *
 * Vouch only for what nobody else can have sent, and in the order in which it happened. Any other job object goes to
 * `notices` as it is, and is a hint: it hurries the next read of its job. So does one of a job that `retry` has run again,
 * since it may tell of the run before. `createWebhooks` of `runpod-rx/server` does all this.
 *
 * A source that tells of more to come says so by `follows`, and takes it back when it is interrupted: for all jobs by
 * `vouchedNotice(undefined, { follows: 'nothing' })`.
 *
 * @param job - the body of the webhook, parsed; `undefined` for all jobs, where their source follows them no longer
 */
export function vouchedNotice(job: unknown, { webhook, follows }: VouchedNoticeOptions = {}): VouchedNotice {
  return { [JOB]: job, [WEBHOOK]: webhook, ...(follows && { [FOLLOWS]: follows }) };
}

/** The job object that a notice vouches for; `undefined` where it does not vouch. */
export function vouchedJob(notice: unknown): unknown {
  return (Object(notice) as Partial<VouchedNotice>)[JOB];
}

/** The webhook of the only job that a notice vouches for; `undefined` where it vouches for the job that it names. */
export function vouchedWebhook(notice: unknown): string | undefined {
  return (Object(notice) as Partial<VouchedNotice>)[WEBHOOK];
}

/** What the source of a notice follows from now on; `undefined` where the notice does not say. */
export function followedOf(notice: unknown): Follows | undefined {
  return (Object(notice) as Partial<VouchedNotice>)[FOLLOWS];
}
