import type { LeaseAnswer, LeaseReport, LeaseStore } from '../budget/LeaseStore.js';
import { NOTHING } from '../budget/limitParts.js';
import type { LimitPart } from '../index.js';
import { EXCHANGE, TABLE } from './exchangeStatement.js';

/** A pool of `pg`, as far as the budget needs it. */
export interface PostgresQueries {
  /** Runs a statement. */
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

/** What a row of the table says about a limit. Empty while nobody has reported. */
interface LimitState {
  readonly at?: number;
  /** What the last exchange has granted, and of which limit. */
  readonly granted?: LimitPart;
  readonly limit?: LimitPart;
  readonly members?: Readonly<Record<string, { readonly wanted: LimitPart }>>;
}

/** What the members of a budget hold, in a row of Postgres for each limit. */
export function postgresLeases(pool: PostgresQueries, budget: string): LeaseStore {
  let table: Promise<unknown> | undefined;
  const run = async (name: string, report: LeaseReport): Promise<LimitState> => {
    const { rows } = await pool.query(EXCHANGE, [`${budget}/${name}`, JSON.stringify(report)]);
    // What the statement returns.
    const [{ state } = { state: {} }] = rows as { readonly state: LimitState }[];
    return state;
  };
  return {
    exchange: async (name, report) => {
      table ??= pool.query(TABLE);
      try {
        await table;
        const first = await run(name, report);
        // The first statement for a limit makes its row.
        return answerOf(first.members ? first : await run(name, report));
      } catch (error) {
        // The database may come back without the table: it is made again then.
        table = undefined;
        throw error;
      }
    },
  };
}

function answerOf({ at = 0, granted = NOTHING, limit: known = NOTHING, members = {} }: LimitState): LeaseAnswer {
  const wanted = Object.fromEntries(Object.entries(members).map(([name, { wanted: wish }]) => [name, wish]));
  return { granted, limit: known, wanted, now: at };
}
