/** Marks what its source vouches for. A symbol, since no JSON can hold one: nothing that anybody sent can bear the mark. */
const VOUCHED = Symbol.for('runpod-rx/vouched');

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
  /**
   * What the source pushes of the job's stream: the body of an answer of `/stream` from a server that keeps it. The notice then
   * says nothing else of the job. `null` where the source pushes no more of it.
   */
  readonly stream?: object | null | undefined;
  /**
   * Whether the client reads its streams from a server that keeps them, as a `createProxy` does: then each read says where in
   * the stream the client is, and a lost answer loses no chunk.
   * @defaultValue as before
   */
  readonly keepsStreams?: boolean;
}

/** What a source vouches for. */
export interface Vouched extends VouchedNoticeOptions {
  /** `undefined` where the notice tells of no single job. */
  readonly job: unknown;
}

/** A job object of which its source has made sure that the service sent it. */
export interface VouchedNotice {
  readonly [VOUCHED]: Vouched;
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
export function vouchedNotice(job: unknown, options: VouchedNoticeOptions = {}): VouchedNotice {
  return { [VOUCHED]: { job, ...options } };
}

/** What the source of a notice vouches for; `undefined` where it does not vouch. */
export function vouchedBy(notice: unknown): Vouched | undefined {
  return (Object(notice) as Partial<VouchedNotice>)[VOUCHED];
}
