import { invalidOptions } from '../../errors/invalidOptions.js';
import { having } from '../../protocol/checkOptions.js';
import { livenessOf, ownIdentity, type ProcessIdentity } from '../file/processIdentity.js';
import type { RowState } from '../JobRow.js';
import type { JobStore } from '../JobStore.js';
import { GroupWriter } from './GroupWriter.js';
import { fromColumns, toColumns, type RowChange, type RowColumns } from './rowColumns.js';

/** A prepared statement, as far as the store needs it. */
export interface SqliteStatement {
  /** Runs the statement. */
  run(...values: (string | number)[]): unknown;
  /** The first row; `undefined` where there is none. */
  get(...values: (string | number)[]): unknown;
  /** All rows. */
  all(...values: (string | number)[]): unknown[];
}

/** A database of `node:sqlite`, as far as the store needs it. */
export interface SqliteDatabase {
  /** Runs statements. */
  exec(sql: string): unknown;
  /** Prepares a statement. */
  prepare(sql: string): SqliteStatement;
}

/** How many rows are read at once, where all are asked for. */
const PAGE = 500;

/** How long another transaction is waited for, in milliseconds, where the database does not wait by itself. */
const BUSY_TIME = 5_000;

const TABLES = `
  create table if not exists runpod_rx_jobs
    (key text primary key, state text not null, committed integer not null, data text not null) without rowid;
  create index if not exists runpod_rx_jobs_state on runpod_rx_jobs (state, key);
  create table if not exists runpod_rx_owner (one integer primary key check (one = 1), identity text not null);
`;

/**
 * A store in a database of `node:sqlite`, which Node has from version 22 on. It makes the tables `runpod_rx_jobs` and
 * `runpod_rx_owner`.
 *
 * ```ts
 * import { DatabaseSync } from 'node:sqlite';
 * const store = sqliteStore(new DatabaseSync('jobs.db'));
 * ```
 *
 * Changes that come at once share a transaction. The database is yours: its `synchronous` decides whether it survives a loss
 * of power, and `FULL`, SQLite's default, does. A transaction of another process is waited for, five seconds at most, or as
 * long as the database's own `timeout` says. The jobs have one owner at a time; the first use fails where another process
 * owns them. `close` gives them up, and leaves the database open.
 */
export function sqliteStore(db: SqliteDatabase): JobStore {
  const issues = having('a database of node:sqlite, with the functions exec and prepare', 'exec', 'prepare')(db, 'db');
  if (issues.length) throw invalidOptions('sqliteStore', issues);
  const token = crypto.randomUUID();
  let opening: Promise<void> | undefined;
  let closed = false;

  const open = async () => {
    if (closed) throw new Error('the store was closed');
    opening ??= takeOwnership(db, token);
    try {
      await opening;
    } catch (error) {
      // Another process may own the jobs now, and not later.
      opening = undefined;
      throw error;
    }
  };
  const writer = new GroupWriter<RowChange>((changes) => {
    inTransaction(db, () => {
      if (ownerOf(db)?.token !== token)
        throw new Error('the jobs of this database are owned by another process by now');
      for (const change of changes) apply(db, change);
    });
  });
  const write = async (change: RowChange) => {
    await open();
    await writer.add(change);
  };

  return {
    get: async (key) => {
      await open();
      const found = db.prepare('select * from runpod_rx_jobs where key = ?').get(key);
      return found ? fromColumns(found as RowColumns) : undefined;
    },
    put: (row) => write({ type: 'put', row }),
    commit: (key) => write({ type: 'commit', key }),
    delete: (key) => write({ type: 'delete', key }),
    rows: async function* (state?: RowState) {
      await open();
      const where = state === undefined ? '' : 'and state = ?';
      const page = db.prepare(`select * from runpod_rx_jobs where key > ? ${where} order by key limit ${PAGE}`);
      const filter = state === undefined ? [] : [state];
      let found = page.all('', ...filter) as RowColumns[];
      while (found.length > 0) {
        for (const columns of found) yield fromColumns(columns);
        found = page.all(found.at(-1)?.key ?? '', ...filter) as RowColumns[];
      }
    },
    close: async () => {
      closed = true;
      await writer.idle();
      if (await opening?.then(() => true).catch(() => false))
        db.prepare('delete from runpod_rx_owner where identity like ?').run(`%"${token}"%`);
    },
  };
}

function apply(db: SqliteDatabase, change: RowChange): void {
  if (change.type === 'put') {
    const { key, state, committed, data } = toColumns(change.row);
    db.prepare('insert or replace into runpod_rx_jobs (key, state, committed, data) values (?, ?, ?, ?)').run(
      key,
      state,
      Number(committed),
      data,
    );
  } else if (change.type === 'commit')
    db.prepare("update runpod_rx_jobs set committed = 1 where key = ? and state = 'ended'").run(change.key);
  else db.prepare('delete from runpod_rx_jobs where key = ?').run(change.key);
}

type JobsOwner = ProcessIdentity & { readonly token: string };

function ownerOf(db: SqliteDatabase): JobsOwner | undefined {
  const found = db.prepare('select identity from runpod_rx_owner').get() as { readonly identity: string } | undefined;
  return found && (JSON.parse(found.identity) as JobsOwner);
}

async function takeOwnership(db: SqliteDatabase, token: string): Promise<void> {
  // Otherwise a moment's transaction of another process would lose the id of a job.
  const { timeout = 0 } = Object(db.prepare('pragma busy_timeout').get()) as { readonly timeout?: number };
  if (timeout === 0) db.exec(`pragma busy_timeout = ${BUSY_TIME}`);
  db.exec(TABLES);
  const own = await ownIdentity();
  const last = ownerOf(db);
  const liveness = last ? await livenessOf(last, own) : 'dead';
  if (last && liveness !== 'dead') {
    const hint = liveness === 'unknown' ? ': if it does not run any more, empty the table runpod_rx_owner' : '';
    throw new Error(`the jobs of this database are owned by process ${last.pid} on ${last.host}${hint}`);
  }
  inTransaction(db, () => {
    // Another process may have found the same dead one.
    if (ownerOf(db)?.token !== last?.token) throw new Error('the jobs of this database are owned by another process');
    db.prepare('insert or replace into runpod_rx_owner (one, identity) values (1, ?)').run(
      JSON.stringify({ ...own, token }),
    );
  });
}

function inTransaction(db: SqliteDatabase, work: () => void): void {
  db.exec('begin immediate');
  try {
    work();
    db.exec('commit');
  } catch (error) {
    try {
      db.exec('rollback');
    } catch {
      // After a full disk, SQLite has done so by itself. The first error says why.
    }
    throw error;
  }
}
