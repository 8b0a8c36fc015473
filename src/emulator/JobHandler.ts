import type { Observable, SchedulerLike } from 'rxjs';
import type { JobPolicy, S3Config } from '../types/JobRequest.js';

/** The job as a worker gets it. */
export interface HandlerJob<I extends object = Record<string, unknown>> {
  readonly id: string;
  readonly input: I;
  readonly webhook?: string;
  readonly policy?: JobPolicy;
  readonly s3Config?: S3Config;
  /** The batch that the job belongs to, if any. */
  readonly batchId?: string;
}

/** The second argument of a handler. It may be destructured: `(job, { delay, progress }) => …`. */
export interface HandlerContext {
  readonly endpointId: string;
  /** The worker that runs the job, 14 lower-case letters and digits. */
  readonly workerId: string;
  /** 1 for the first time this job runs, 2 when the platform or `/retry` runs it again, and so on. */
  readonly attempt: number;
  /** The emulator's clock; pass it to `interval`, `timer`, `delay` and other operators with a scheduler parameter. */
  readonly scheduler: SchedulerLike;
  /**
   * Aborted when the job is cancelled, killed, expired or lost with its worker, and when the emulator is closed. Not aborted
   * when the handler ends by itself.
   */
  readonly signal: AbortSignal;
  /** Posts a progress update. While the job runs, `output` of `/status` holds the latest update. */
  readonly progress: (value: unknown) => void;
  /**
   * Emits `0` after `ms` milliseconds of the emulator's scheduler, and completes; after `Infinity`, never. Works in virtual
   * time. Throws if `ms` is no number of milliseconds.
   */
  readonly delay: (ms: number) => Observable<0>;
  /**
   * A promise that resolves after `ms` milliseconds, for `async` handlers; after `Infinity`, never. Works in real time only,
   * since promises do not settle while a virtual scheduler runs. Rejects with the signal's reason when the job is stopped.
   */
  readonly sleep: (ms: number) => Promise<void>;
  /** Passes a line to `EmulatorOptions.log`. */
  readonly log: (...parts: unknown[]) => void;
}

/**
 * The work of an endpoint, like the handler function of a RunPod worker.
 *
 * - A value, or the value of a promise, is the result. An object with a truthy `error` fails the job with that error; `{}`
 *   and `undefined` complete the job without an output.
 * - An Observable's **last** value is the result, so that `delay(5000).pipe(map(() => result))` is a job of five seconds.
 *   On an endpoint with `stream: true` each of its values is a chunk instead.
 * - A generator, async or not, is always a stream: each value it yields is a chunk.
 * - Promises and async generators need real time. With a virtual scheduler, `createEmulator` throws for an `async` handler, and
 *   a job whose handler returns a promise fails at once.
 *
 * When a job is stopped, the emulator aborts `context.signal`, then unsubscribes from the Observable or calls the
 * generator's `return`.
 */
export interface JobHandler<I extends object = Record<string, unknown>> {
  (job: HandlerJob<I>, context: HandlerContext): unknown;
}
