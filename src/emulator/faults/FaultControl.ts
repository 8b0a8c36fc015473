import type { FaultOptions, FaultRule } from './FaultRule.js';

/** A rule that is there now, and what it has done. */
export interface ActiveFault {
  /** Numbers the rules of an emulator from 1, as they came. */
  readonly id: number;
  readonly rule: FaultRule;
  /** How many requests or jobs fitted it. */
  readonly seen: number;
  /** How many of them it struck. */
  readonly struck: number;
}

/** The faults of an emulator while it runs. */
export interface FaultControl {
  /** The rules that are there, in the order in which they are asked. */
  list(): readonly ActiveFault[];
  /** Adds rules behind those that are there, and gives their ids. Their `nth` counts from now. */
  add(faults: FaultOptions): readonly number[];
  /** Takes rules away; says how many of these there were. */
  remove(ids: readonly number[]): number;
  /** Takes all rules away. */
  clear(): void;
}
