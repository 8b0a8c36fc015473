/** A server of Redis or Postgres. */
export interface Engine {
  readonly url: string;
  stop(): Promise<void>;
}

/** One of the test's own, which can be killed and started again. */
export interface OwnEngine extends Engine {
  /** @param downtime - for how long it is gone, in milliseconds */
  restart(downtime?: number): Promise<void>;
}

interface Engines {
  redisEngine(): Promise<Engine | undefined>;
  postgresEngine(): Promise<Engine | undefined>;
  ownRedis(): Promise<OwnEngine | undefined>;
  ownPostgres(): Promise<OwnEngine | undefined>;
}

const engines = (await import(new URL('../../scripts/lib/engines.mjs', import.meta.url).href)) as Engines;

/** Redis, at `REDIS_URL`, at its usual address, or one of its own; `undefined`, and a line that says so, where there is none. */
export const redisEngine = said('Redis', engines.redisEngine);

/** Postgres, likewise, at `PGHOST`. */
export const postgresEngine = said('Postgres', engines.postgresEngine);

export const { ownRedis, ownPostgres } = engines;

function said<T>(name: string, find: () => Promise<T | undefined>): () => Promise<T | undefined> {
  return async () => {
    const found = await find();
    if (!found) process.stderr.write(`${name} is not on this machine: what needs it is not tested\n`);
    return found;
  };
}
