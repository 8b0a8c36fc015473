import { budgetOver } from '../budget/budgetOver.js';
import { budgetTerms, checksOfBudget, type BudgetOptions } from '../budget/BudgetOptions.js';
import { invalidOptions } from '../errors/invalidOptions.js';
import type { Budget } from '../index.js';
import { checkOptions, having } from '../protocol/checkOptions.js';
import { postgresLeases, type PostgresQueries } from './postgresLeases.js';

/**
 * A budget in Postgres 12 or newer: all processes that have one, with the same name, keep within the limits of an endpoint
 * together, however many they are.
 *
 * ```ts
 * const client = runpod({ limits: { budget: postgresBudget(new Pool()) } });
 * ```
 *
 * Makes the table `runpod_rx_budgets`. A process runs a statement a few times in a second while it has requests, one for each
 * operation of an endpoint that it uses, and none while it has no requests. The pool stays yours: end it after the client.
 *
 * Throws `ConfigurationError` for options that cannot work. That Postgres does not answer is no error of a request: without
 * it they go on within `offlineShare`.
 */
export function postgresBudget(pool: PostgresQueries, options: BudgetOptions = {}): Budget {
  const issues = [
    ...having('a pool of pg, with a function query', 'query')(pool, 'pool'),
    ...checkOptions(options, checksOfBudget),
  ];
  if (issues.length) throw invalidOptions('postgresBudget', issues);
  const terms = budgetTerms(options);
  return budgetOver(postgresLeases(pool, terms.name), terms);
}
