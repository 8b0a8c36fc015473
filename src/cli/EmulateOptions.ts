import type { FaultRule } from '../emulator/index.js';

/** The options of `runpod-rx emulate`, read and checked. */
export interface EmulateOptions {
  /** Where to listen; 0 is any free port. */
  readonly port: number;
  /** The id of the endpoint, where the handlers file exports one handler. */
  readonly endpoint: string;
  /** The most workers at once; what the handlers file says, if absent. */
  readonly workers?: number;
  /** In milliseconds; what the handlers file says, if absent. */
  readonly coldStart?: number;
  /** Which rate limits hold. */
  readonly limits: 'documented' | false;
  /** The keys that are let in; any, if absent. */
  readonly key?: readonly string[];
  /** What goes wrong. */
  readonly faults?: readonly FaultRule[];
  /** Decides ids and faults. */
  readonly seed: string;
  /** The origin whose pages may call; `true` for every one. */
  readonly cors?: true | string;
  /** By what factor time passes faster. */
  readonly speed: number;
}
