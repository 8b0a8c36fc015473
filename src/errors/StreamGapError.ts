import { RunpodError } from './RunpodError.js';

/** What a {@link StreamGapError} says. */
export interface StreamGapErrorDetails {
  /** How many chunks were delivered before the gap, in order and complete. */
  readonly delivered: number;
  /** The chunks that came after the gap. */
  readonly held: readonly unknown[];
  readonly lost: 'possibly' | 'certainly';
}

/** Chunks may be missing, because the answer that carried them was lost, and they could not be had from the output. */
export class StreamGapError extends RunpodError<StreamGapErrorDetails> {
  static override readonly brand = 'StreamGapError';
  static override readonly code = 'stream_gap';

  declare readonly delivered: number;
  declare readonly held: readonly unknown[];
  declare readonly lost: 'possibly' | 'certainly';
}
