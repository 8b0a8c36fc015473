/**
 * Refuses a request with words for the page: thrown by `input`, `request` or `user` of a proxy. Nothing is sent to the
 * service, and the page's client tells its caller that the job was not accepted.
 *
 * ```ts
 * input: (input, user) => {
 *   if (String(input.prompt).length > 1000) throw new Refusal(400, 'the prompt is too long');
 *   return input;
 * }
 * ```
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  /** The status of the answer, 400 – 499 but for 408, which would say that the job may have been accepted. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    const isRefusal = Number.isInteger(status) && status >= 400 && status < 500 && status !== 408;
    this.status = isRefusal ? status : 400;
  }
}
