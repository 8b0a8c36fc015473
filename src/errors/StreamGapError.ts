import { RunpodError } from './RunpodError.js';

/** The members of {@link StreamGapError} besides those of every error. */
export interface StreamGapErrorDetails {
  /** How many chunks were delivered before the gap: the first ones of the stream, complete and in order. */
  readonly delivered: number;
  /** The chunks that came after the gap and were not delivered. */
  readonly held: readonly unknown[];
  /** Whether chunks are missing for certain. */
  readonly lost: 'possibly' | 'certainly';
}

/** Chunks may be missing: an answer was lost that may have carried some, and the job's output does not have them. */
export class StreamGapError extends RunpodError<StreamGapErrorDetails> {
  static override readonly brand = 'StreamGapError';
  static override readonly code = 'stream_gap';

  declare readonly delivered: number;
  declare readonly held: readonly unknown[];
  declare readonly lost: 'possibly' | 'certainly';
}
