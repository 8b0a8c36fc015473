import { invalidOptions } from '../../errors/invalidOptions.js';
import { checkOptions, having, mustBe, type Checks } from '../../protocol/checkOptions.js';
import type { RowState } from '../JobRow.js';
import type { JobStore } from '../JobStore.js';
import { GroupWriter } from './GroupWriter.js';
import { fromColumns, toColumns, type RowChange, type RowColumns } from './rowColumns.js';

/** A connection of a pool of `pg`, as far as the store needs it. */
export interface PostgresClient {
  /** Runs a statement. */
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>;
  /** Listens to the connection's end. */
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
  /** Gives the connection back to its pool, or ends it. */
  release(error?: Error | boolean): void;
}

/** A pool of `pg`, as far as the store needs it. */
export interface PostgresPool {
  /** Takes a connection of the pool. */
  connect(): Promise<PostgresClient>;
}

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /**
   * Names the jobs of this store among others in the database. Each name has one owner at a time.
   * @defaultValue `'default'`
   */
  readonly name?: string;
}

const POSTGRES_STORE: Checks<PostgresStoreOptions> = {
  name: mustBe('text', (value) => typeof value === 'string' && value.length > 0),
};

/** How many rows are read at once, where all are asked for. */
const PAGE = 500;

/** The first number of the advisory locks: it keeps them from those of others. */
const LOCK_SPACE = 0x72_70_72_78;

/** The table is made by one at a time: Postgres fails one of two that find at once that it is not there. */
const TABLE = `
  select pg_advisory_xact_lock(${LOCK_SPACE + 1}, 0);
  create table if not exists runpod_rx_jobs (
    name text not null, key text not null, state text not null, committed boolean not null, data text not null,
    primary key (name, key));
  create index if not exists runpod_rx_jobs_state on runpod_rx_jobs (name, state, key);
`;

const PUT = `
  insert into runpod_rx_jobs (name, key, state, committed, data)
  select $1, * from unnest($2::text[], $3::text[], $4::boolean[], $5::text[])
  on conflict (name, key) do update set state = excluded.state, committed = excluded.committed, data = excluded.data
`;

/**
 * A store in Postgres. It makes the table `runpod_rx_jobs`.
 *
 * ```ts
 * const store = postgresStore(new Pool());
 * ```
 *
 * Takes one connection of the pool, and holds an advisory lock by it: so the jobs of a name have one owner at a time, on any
 * number of machines, and who has lost the connection can write no more. The first use fails where another process has the
 * lock. Where the connection is lost, every method fails from then on: another process may own the jobs, so start anew.
 * `close` ends the connection. The pool must give connections of their own: a pooler that shares them by transaction, such as
 * PgBouncer can, would let two processes have the lock.
 */
export function postgresStore(pool: PostgresPool, options: PostgresStoreOptions = {}): JobStore {
  const issues = [
    ...having('a pool of pg, with a function connect', 'connect')(pool, 'pool'),
    ...checkOptions(options, POSTGRES_STORE),
  ];
  if (issues.length) throw invalidOptions('postgresStore', issues);
  const { name = 'default' } = options;
  let opening: Promise<PostgresClient> | undefined;
  let lost: Error | undefined;

  const connection = async (): Promise<PostgresClient> => {
    if (lost) throw lost;
    opening ??= takeLock(pool, name, (error) => {
      lost ??= new Error('the connection that owned the jobs was lost', { cause: error });
    });
    try {
      const client = await opening;
      // Set meanwhile, by an event of the connection.
      if (lost as Error | undefined) throw lost as unknown as Error;
      return client;
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };
  let last: Promise<unknown> = Promise.resolve();
  /** Does something with the connection, when what was begun before has ended: it does one thing at a time. */
  const inTurn = <T>(work: (client: PostgresClient) => Promise<T>): Promise<T> => {
    const result = last.then(async () => work(await connection()));
    last = result.catch(() => undefined);
    return result;
  };
  const writer = new GroupWriter<RowChange>((changes) =>
    inTurn(async (client) => {
      await client.query('begin');
      try {
        for (const run of runsOf(changes)) await apply(client, name, run);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback').catch(() => undefined);
        throw error;
      }
    }),
  );
  const query = (text: string, values: unknown[]): Promise<RowColumns[]> =>
    // The columns of the table above.
    inTurn(async (client) => (await client.query(text, values)).rows as RowColumns[]);

  return {
    get: async (key) => {
      const [found] = await query('select * from runpod_rx_jobs where name = $1 and key = $2', [name, key]);
      return found && fromColumns(found);
    },
    put: (row) => writer.add({ type: 'put', row }),
    commit: (key) => writer.add({ type: 'commit', key }),
    delete: (key) => writer.add({ type: 'delete', key }),
    rows: async function* (state?: RowState) {
      const where = state === undefined ? '' : 'and state = $3';
      const text = `select * from runpod_rx_jobs where name = $1 and key > $2 ${where} order by key limit ${PAGE}`;
      const page = (after: string) => query(text, [name, after, ...(state === undefined ? [] : [state])]);
      for (let found = await page(''); found.length > 0; found = await page(found.at(-1)?.key ?? ''))
        for (const columns of found) yield fromColumns(columns);
    },
    close: async () => {
      await writer.idle();
      await last;
      const client = await opening?.catch(() => undefined);
      lost ??= new Error('the store was closed');
      await client?.query('select pg_advisory_unlock($1, hashtext($2))', [LOCK_SPACE, name]).catch(() => undefined);
      // The connection is ended: the lock goes with it in any case, and the listeners do.
      client?.release(true);
    },
  };
}

async function takeLock(pool: PostgresPool, name: string, onLost: (error?: Error) => void): Promise<PostgresClient> {
  const client = await pool.connect();
  // Without a listener, an error of the connection would end the process.
  let owns = false;
  const onEnd = (error?: Error) => {
    if (owns) onLost(error);
  };
  client.on('error', onEnd);
  client.on('end', onEnd);
  try {
    const { rows } = await client.query('select pg_try_advisory_lock($1, hashtext($2)) as taken', [LOCK_SPACE, name]);
    const [{ taken } = { taken: false }] = rows as { readonly taken: boolean }[];
    if (!taken) throw new Error(`the jobs of the name ${name} are owned by another process`);
    await client.query(TABLE);
    owns = true;
    return client;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** The changes in runs of one type, in their order: rows that are put are written by one statement. */
function runsOf(changes: readonly RowChange[]): RowChange[][] {
  const runs: RowChange[][] = [];
  let keys = new Set<string>();
  for (const change of changes) {
    const key = change.type === 'put' ? change.row.key : change.key;
    const last = runs.at(-1);
    // A statement may not touch a row twice.
    if (last?.[0]?.type === change.type && !keys.has(key)) last.push(change);
    else {
      runs.push([change]);
      keys = new Set();
    }
    keys.add(key);
  }
  return runs;
}

async function apply(client: PostgresClient, name: string, run: readonly RowChange[]): Promise<void> {
  const puts = run.flatMap((change) => (change.type === 'put' ? [toColumns(change.row)] : []));
  const keys = run.flatMap((change) => (change.type === 'put' ? [] : [change.key]));
  if (puts.length > 0)
    await client.query(PUT, [
      name,
      puts.map(({ key }) => key),
      puts.map(({ state }) => state),
      puts.map(({ committed }) => committed),
      puts.map(({ data }) => data),
    ]);
  else if (run[0]?.type === 'commit')
    await client.query(
      "update runpod_rx_jobs set committed = true where name = $1 and key = any($2) and state = 'ended'",
      [name, keys],
    );
  else await client.query('delete from runpod_rx_jobs where name = $1 and key = any($2)', [name, keys]);
}
