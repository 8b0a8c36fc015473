import { RunpodError, type ErrorInit } from './RunpodError.js';

/** Chunks may be missing, because the answer that carried them was lost, and they could not be had from the output. */
export class StreamGapError extends RunpodError {
  static override readonly brand = 'StreamGapError';

  /** How many chunks were delivered before the gap, in order and complete. */
  readonly delivered: number;
  /** The chunks that came after the gap. */
  readonly held: readonly unknown[];
  readonly lost: 'possibly' | 'certainly';

  constructor(delivered: number, held: readonly unknown[], lost: 'possibly' | 'certainly', init: ErrorInit) {
    super(
      'stream_gap',
      `the stream of job ${init.jobId ?? '?'} ${lost} lost chunks after the first ${delivered}: an answer was lost on the way. ` +
        'A worker with return_aggregate_stream lets them be recovered',
      init,
    );
    this.delivered = delivered;
    this.held = held;
    this.lost = lost;
  }
}
