import type { ActiveFault } from '../faults/FaultControl.js';

/** What `/health` says of an endpoint. */
export interface EndpointState {
  readonly jobs: Readonly<Record<'completed' | 'failed' | 'inProgress' | 'inQueue' | 'retried', number>>;
  readonly workers: Readonly<Record<'idle' | 'initializing' | 'ready' | 'running' | 'throttled' | 'unhealthy', number>>;
}

/** How many requests came to their end, and how. */
export interface RequestCounts {
  /** All that are over. */
  readonly total: number;
  /** Those whose client went away before the answer. */
  readonly aborted: number;
  /** Those that a fault took the network from. */
  readonly failed: number;
  readonly byOperation: Readonly<Record<string, number>>;
  /** By the HTTP status of the answer. */
  readonly byStatus: Readonly<Record<string, number>>;
  /** By the fault that struck them. */
  readonly byFault: Readonly<Record<string, number>>;
}

/** An emulator at one moment. Plain data, the same as `GET /__emulator/state` answers. */
export interface EmulatorState {
  /** `scheduler.now()` in milliseconds. */
  readonly now: number;
  /** By id. */
  readonly endpoints: Readonly<Record<string, EndpointState>>;
  readonly requests: RequestCounts;
  readonly faults: readonly ActiveFault[];
}
