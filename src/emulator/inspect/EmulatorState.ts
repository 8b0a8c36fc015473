import type { ActiveFault } from '../faults/FaultControl.js';

/** An endpoint's counts of jobs and workers, as `/health` answers. */
export interface EndpointState {
  readonly jobs: Readonly<Record<'completed' | 'failed' | 'inProgress' | 'inQueue' | 'retried', number>>;
  readonly workers: Readonly<Record<'idle' | 'initializing' | 'ready' | 'running' | 'throttled' | 'unhealthy', number>>;
}

/** Counts of the requests that are over: answered, failed or aborted. */
export interface RequestCounts {
  /** All requests that are over. */
  readonly total: number;
  /** Requests whose client disconnected before the answer. */
  readonly aborted: number;
  /** Requests that failed because a fault broke the network. */
  readonly failed: number;
  readonly byOperation: Readonly<Record<string, number>>;
  /** By the HTTP status of the answer. */
  readonly byStatus: Readonly<Record<string, number>>;
  /** By the fault that struck the request. */
  readonly byFault: Readonly<Record<string, number>>;
}

/** An emulator at one moment. Plain data, as `GET /__emulator/state` answers. */
export interface EmulatorState {
  /** `scheduler.now()` in milliseconds. */
  readonly now: number;
  /** By id. */
  readonly endpoints: Readonly<Record<string, EndpointState>>;
  readonly requests: RequestCounts;
  readonly faults: readonly ActiveFault[];
}
