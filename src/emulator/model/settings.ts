import type { SchedulerLike } from 'rxjs';
import type { JobHandler } from '../JobHandler.js';
import { isVirtual } from './virtualTime.js';
import type { EmulatedEndpoint, EmulatorOptions, Variants, WorkerOptions } from '../EmulatorOptions.js';

/** An endpoint's options with every default filled in. */
export interface EndpointSettings {
  readonly id: string;
  readonly stream: boolean;
  readonly aggregate: boolean;
  readonly workers: Required<WorkerOptions>;
  readonly coldStart: number;
  readonly executionTimeout: number;
  readonly killLag: number;
  readonly lostAfter: number;
  readonly retention: { readonly run: number; readonly runsync: number };
  readonly region: string;
  readonly variants: Required<Variants>;
  readonly handler: JobHandler;
  readonly scheduler: SchedulerLike;
  /** Whether time is virtual, so that promises of a handler cannot be waited for. */
  readonly virtual: boolean;
  readonly log: NonNullable<EmulatorOptions['log']>;
}

/** The time to live of a job without `policy.ttl`: 24 hours. */
export const DEFAULT_TTL = 86_400_000;

/** How often the platform runs a job again whose worker fell silent. On the service no other number was seen. */
export const PLATFORM_RETRIES = 1;

function variantsOf(variants: Variants = {}): Required<Variants> {
  return {
    expired: 'gone',
    purged: 'gone',
    wait: 'clamp',
    cancelEnded: 'state',
    cancelled: 'bare',
    streamed: 'empty',
    failed: 'ok',
    ...variants,
  };
}

export function settingsOf(
  id: string,
  given: EmulatedEndpoint | JobHandler,
  options: EmulatorOptions,
  scheduler: SchedulerLike,
): EndpointSettings {
  const endpoint: EmulatedEndpoint = typeof given === 'function' ? { handler: given } : given;
  const workers = typeof endpoint.workers === 'number' ? { max: endpoint.workers } : endpoint.workers;
  return {
    id,
    stream: endpoint.stream ?? endpoint.aggregate ?? false,
    aggregate: endpoint.aggregate ?? false,
    workers: { max: 3, min: 0, concurrency: 1, idleTimeout: 5_000, ...workers, ...(!endpoint.handler && { max: 0 }) },
    coldStart: endpoint.coldStart ?? 0,
    executionTimeout: endpoint.executionTimeout ?? 600_000,
    killLag: endpoint.killLag ?? 3_000,
    lostAfter: endpoint.lostAfter ?? 40_000,
    retention: { run: 1_800_000, runsync: 60_000, ...endpoint.retention },
    region: endpoint.region ?? 'u1',
    variants: variantsOf(options.variants),
    // Called on its endpoint, so that a handler written as a method keeps its `this`.
    handler: (job, context) => endpoint.handler?.(job, context),
    scheduler,
    virtual: isVirtual(options.scheduler),
    log: options.log ?? (() => undefined),
  };
}
