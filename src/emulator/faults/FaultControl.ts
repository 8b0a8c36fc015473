import type { FaultOptions, FaultRule } from './FaultRule.js';

/** An active rule, and how often it struck. */
export interface ActiveFault {
  /** Number of the rule, counted from 1 in the order in which rules were added. */
  readonly id: number;
  readonly rule: FaultRule;
  /** How many requests or jobs matched the rule's `on`, `endpoint` and `when`. */
  readonly seen: number;
  /** How many requests or jobs the rule struck. */
  readonly struck: number;
}

/** Lists and changes the faults of an emulator while it runs. */
export interface FaultControl {
  /** The active rules. The first rule that strikes wins. */
  list(): readonly ActiveFault[];
  /** Adds rules after the active ones, and returns their ids. Their `nth` counts from now. */
  add(faults: FaultOptions): readonly number[];
  /** Removes rules by id. Returns how many rules were removed. */
  remove(ids: readonly number[]): number;
  /** Removes all rules. */
  clear(): void;
}
