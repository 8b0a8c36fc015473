/** A request as the emulator sees it, from its transport or its server. */
export interface EmulatorRequest {
  readonly method: string;
  /** Absolute, or a path with its query. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text. */
  readonly body?: string;
  /** The body's size in bytes, where `body` was not kept because it is too large. */
  readonly size?: number;
}
