/** The demo was started in a way that it cannot work in. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
