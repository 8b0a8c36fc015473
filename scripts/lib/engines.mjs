import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** How long a server may take to start, in milliseconds; only one that hangs takes so long. */
const PATIENCE = 60_000;

/**
 * Redis at `REDIS_URL` or at its usual address; where none listens, one of this machine's own.
 *
 * @returns {Promise<{ url: string, stop: () => Promise<void> } | undefined>} `undefined` where there is no Redis
 */
export async function redisEngine() {
  const { REDIS_URL: url = 'redis://127.0.0.1:6379' } = process.env;
  const { hostname, port } = new URL(url);
  if (await listens(Number(port || 6379), hostname)) return { url, stop: async () => undefined };
  return ownRedis();
}

/**
 * Postgres at `POSTGRES_URL`, at `PGHOST` or at its usual address; where none listens, one of this machine's own.
 *
 * @returns {Promise<{ url: string, stop: () => Promise<void> } | undefined>} `undefined` where there is no Postgres
 */
export async function postgresEngine() {
  const { PGHOST = '127.0.0.1', PGPORT = '5432', PGUSER = 'postgres', PGDATABASE = 'postgres' } = process.env;
  const { POSTGRES_URL: url = `postgres://${PGUSER}@${PGHOST}:${PGPORT}/${PGDATABASE}` } = process.env;
  const { hostname, port } = new URL(url);
  if (await listens(Number(port || 5432), hostname)) return { url, stop: async () => undefined };
  return ownPostgres();
}

/**
 * Starts a Redis that keeps what it has confirmed, in a folder of its own. `restart` kills it, and starts it again.
 *
 * @returns {Promise<{ url: string, stop: () => Promise<void>, restart: (downtime?: number) => Promise<void> } | undefined>}
 */
export async function ownRedis() {
  const program = binary('redis-server');
  if (!program) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'runpod-rx-redis-'));
  const port = await freePort();
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'];
  return server({
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    start: () => spawn(program, [...args, '--appendfsync', 'always'].map(String), { stdio: 'ignore' }),
  });
}

/**
 * Starts a Postgres with a cluster of its own. `restart` kills it, and starts it again.
 *
 * @returns {Promise<{ url: string, stop: () => Promise<void>, restart: (downtime?: number) => Promise<void> } | undefined>}
 */
export async function ownPostgres() {
  const initdb = binary('initdb');
  const program = binary('postgres');
  if (!initdb || !program) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'runpod-rx-postgres-'));
  const user = unprivileged();
  if (user) chownSync(folder, user.uid, user.gid);
  const init = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '--no-sync'];
  const { status, stderr } = spawnSync(initdb, init, { ...user, cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
  const port = await freePort();
  const args = ['-D', join(folder, 'data'), '-h', '127.0.0.1', '-p', String(port), '-k', folder];
  return server({
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    folder,
    start: () => spawn(program, args, { ...user, cwd: folder, stdio: 'ignore' }),
    // Its other processes end by themselves when the first is gone, and the next start waits for that.
    ready: async () => psql(port),
  });
}

async function server({ url, port, folder, start, ready = async () => true }) {
  let child;
  const run = async () => {
    const until = performance.now() + PATIENCE;
    child = start();
    let ended = false;
    child.once('close', () => (ended = true));
    while (!((await listens(port)) && (await ready()))) {
      if (performance.now() > until) throw new Error(`nothing listens at ${url}`);
      if (ended) {
        child = start();
        ended = false;
        child.once('close', () => (ended = true));
      }
      await pause(50);
    }
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
  };
  await run();
  process.once('exit', () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return {
    url,
    restart: async (downtime = 0) => {
      await kill();
      await pause(downtime);
      await run();
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

/** Whether Postgres takes statements, and does not say that it is starting. */
function psql(port) {
  const program = binary('pg_isready');
  return !program || spawnSync(program, ['-h', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' }).status === 0;
}

/** Postgres refuses to run as root. */
function unprivileged() {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** The path of a program: Debian keeps those of Postgres in a folder for each version. */
function binary(name) {
  const versions = '/usr/lib/postgresql';
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...(existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : []),
  ];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function listens(port, host = '127.0.0.1') {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
