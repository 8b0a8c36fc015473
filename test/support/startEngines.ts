interface Engine {
  readonly url: string;
  stop(): Promise<void>;
}

interface Engines {
  redisEngine(): Promise<Engine | undefined>;
  postgresEngine(): Promise<Engine | undefined>;
}

const engines = (await import(new URL('../../scripts/lib/engines.mjs', import.meta.url).href)) as Engines;

/**
 * Finds Redis and Postgres for the tests that need them: at `REDIS_URL` and `PGHOST`, at their usual addresses, or servers of
 * this machine's own, which are stopped after the tests. What is not on this machine is said, and not tested.
 */
export default async function startEngines(): Promise<() => Promise<void>> {
  const [redis, postgres] = await Promise.all([engines.redisEngine(), engines.postgresEngine()]);
  for (const [name, variable, engine] of [
    ['Redis', 'REDIS_URL', redis],
    ['Postgres', 'POSTGRES_URL', postgres],
  ] as const) {
    if (engine) process.env[variable] = engine.url;
    else process.stderr.write(`${name} is not on this machine: what needs it is not tested\n`);
  }
  return async () => {
    await Promise.all([redis?.stop(), postgres?.stop()]);
  };
}
