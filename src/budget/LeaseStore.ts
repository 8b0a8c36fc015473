import type { ObservableInput } from 'rxjs';
import type { LimitPart } from '../index.js';

/** What a member, a process that uses a limit, tells the others by way of the store. */
export interface LeaseReport {
  /** Its name, which no other member has. */
  readonly member: string;
  /** Grows with each report of the member. The store ignores a report that comes after a later one. */
  readonly turn: number;
  /** What the member may use, or what still counts of it, whichever is more. It counts, whatever the store says. */
  readonly held: LimitPart;
  /** What the member has use for. A member that wants nothing has left, and is remembered only for what it holds. */
  readonly wanted: LimitPart;
  /** What the member is to hold, if there is enough. */
  readonly target: LimitPart;
  /** The whole limit, as far as the member knows: it grows with the number of workers, which few members may have read. */
  readonly limit: LimitPart;
  /** How long the members use their parts without hearing from the store, in milliseconds. */
  readonly lease: number;
  /** How long the store remembers the part, if the member reports no more, in milliseconds. */
  readonly keep: number;
}

/** What the store says to a report. */
export interface LeaseAnswer {
  /**
   * What the member may use. May be less than it has reported, where others hold what it held before: it was silent for too
   * long.
   */
  readonly granted: LimitPart;
  /** The highest limit that a member knows of. */
  readonly limit: LimitPart;
  /** What each member wants, by its name. */
  readonly wanted: Readonly<Record<string, LimitPart>>;
  /** The time of the store, in milliseconds. */
  readonly now: number;
}

/**
 * Remembers what the members of each limit hold, for all processes. What the members hold never exceeds the limit by what
 * the store grants:
 *
 * - A member is forgotten when its time is over, or when it has left and holds nothing.
 * - A member is granted its target as far as the others leave it, of the highest limit that any of them knows of. It holds
 *   what it is granted, or what it has reported, whichever is more.
 * - While the store may have forgotten members, each is granted what it has reported: for the time of a lease after the
 *   store was started, and after members that want something were silent for longer than a lease. These members are
 *   remembered for as long, too.
 *
 * An exchange is atomic, and takes its time from one clock.
 */
export interface LeaseStore {
  /** @param name - the name of the limit, such as `my-endpoint/run` */
  exchange(name: string, report: LeaseReport): ObservableInput<LeaseAnswer>;
}
