import type { Observable, SchedulerLike } from 'rxjs';
import type { JobPolicy, S3Config } from '../types/JobRequest.js';

/** The job as a worker gets it. */
export interface HandlerJob<I extends object = Record<string, unknown>> {
  readonly id: string;
  readonly input: I;
  readonly webhook?: string;
  readonly policy?: JobPolicy;
  readonly s3Config?: S3Config;
  /** The batch that it is of, if it is. */
  readonly batchId?: string;
}

/** What a handler can do beside returning its result. All of it may be taken apart: `(job, { delay, progress }) => …`. */
export interface HandlerContext {
  readonly endpointId: string;
  /** The worker that runs the job, 14 lower-case letters and digits. */
  readonly workerId: string;
  /** 1 for the first time this job runs, 2 when the platform or `/retry` runs it again, and so on. */
  readonly attempt: number;
  /** Where the emulator's time comes from; pass it to `interval`, `timer`, `delay` and the like. */
  readonly scheduler: SchedulerLike;
  /**
   * Aborted when the job is cancelled, killed, expired or lost with its worker, and when the emulator is closed; not when
   * the handler ends by itself.
   */
  readonly signal: AbortSignal;
  /** Posts a progress update: the latest one stands in `output` of `/status` while the job runs. */
  readonly progress: (value: unknown) => void;
  /** Emits `0` once after `ms` milliseconds on the emulator's scheduler, and completes. For handlers in virtual time. */
  readonly delay: (ms: number) => Observable<0>;
  /**
   * The same as a promise, for `async` handlers: real time only, since promises do not settle inside a virtual
   * scheduler's run. Rejects with the signal's reason when the job is stopped.
   */
  readonly sleep: (ms: number) => Promise<void>;
  /** Hands a line to `EmulatorOptions.log`. */
  readonly log: (...parts: unknown[]) => void;
}

/**
 * The work of an endpoint: what a worker's handler function is on RunPod.
 *
 * - A value or a promise is the result. An object with a truthy `error` fails the job with it; `{}` and `undefined`
 *   complete it without an output.
 * - An Observable's **last** value is the result, so that `delay(5000).pipe(map(() => result))` is a job of five seconds.
 *   On an endpoint with `stream: true` each of its values is a chunk instead.
 * - A generator, async or not, is always a stream: each value it yields is a chunk.
 *
 * A job that is stopped unsubscribes from the Observable, returns the generator and aborts `context.signal`.
 */
export interface JobHandler<I extends object = Record<string, unknown>> {
  (job: HandlerJob<I>, context: HandlerContext): unknown;
}
