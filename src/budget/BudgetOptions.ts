import { durationBetween, mustBe, text, type Checks } from '../protocol/checkOptions.js';

/** Options of a budget that processes share. They must be the same in all processes. */
export interface BudgetOptions {
  /**
   * Names the budget: processes with the same name divide the limits among themselves. Processes that use an endpoint
   * must have one budget together, whichever API key they use.
   * @defaultValue `'default'`
   */
  readonly name?: string;
  /**
   * How long a process uses its part without an answer of the engine, in milliseconds, from 300 to 60 000. It asks three
   * times as often. The part of a process that was killed is free again after the window of the limit (10 s) and this time.
   * @defaultValue 2 000
   */
  readonly lease?: number;
  /**
   * The fraction of each limit that a process uses while it does not reach the engine, from 0 to 1. Together, the processes
   * keep the limits if there are at most `1 / offlineShare` of them. With 0, only cancels are sent, one at a time.
   * @defaultValue 0.1
   */
  readonly offlineShare?: number;
}

/** The options, with every default filled in. */
export type BudgetTerms = Required<BudgetOptions>;

export const checksOfBudget: Checks<BudgetOptions> = {
  name: text,
  lease: durationBetween(300, 60_000),
  offlineShare: mustBe('a number from 0 to 1', (share) => typeof share === 'number' && share >= 0 && share <= 1),
};

export function budgetTerms({ name = 'default', lease = 2_000, offlineShare = 0.1 }: BudgetOptions): BudgetTerms {
  return { name, lease, offlineShare };
}
