import type { FaultRule } from '../emulator/index.js';

/** The options of `runpod-rx emulate`, read and checked. */
export interface EmulateOptions {
  /** The port to listen on; 0 takes any free port. */
  readonly port: number;
  /** The id of the endpoint if there is no handlers file, or the file exports a single handler. */
  readonly endpoint: string;
  /** Whether to run the endpoints that the documentation uses, in place of a file. */
  readonly sample?: boolean;
  /** Maximum number of workers at once, for every endpoint. If absent, the handlers file decides. */
  readonly workers?: number;
  /** Milliseconds that a worker takes to start, for every endpoint. If absent, the handlers file decides. */
  readonly coldStart?: number;
  /** The rate limits: the documented limits, or none. */
  readonly limits: 'documented' | false;
  /** The accepted keys. If absent, requests need no key. */
  readonly key?: readonly string[];
  /** The faults from the start on. */
  readonly faults?: readonly FaultRule[];
  /** The address to listen on. */
  readonly host: string;
  /** Further names that requests may be addressed to. */
  readonly allowHost?: readonly string[];
  /** Seed of ids and faults. If absent, a random one. */
  readonly seed?: string;
  /** The origins whose pages may call the emulator; `true` allows every origin. */
  readonly cors?: true | readonly string[];
  /** The speed of the emulator's clock, as a factor of real time. */
  readonly speed: number;
}
