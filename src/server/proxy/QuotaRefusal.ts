/** A submission goes beyond the user's quota. The page may try again later. */
export class QuotaRefusal extends Error {
  override readonly name = 'QuotaRefusal';
  /** In seconds. */
  readonly retryAfter: number;

  constructor(message: string, retryAfter: number) {
    super(message);
    this.retryAfter = Math.max(1, Math.ceil(retryAfter));
  }
}
