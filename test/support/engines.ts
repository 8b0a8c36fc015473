/** Redis at `REDIS_URL`, which `startEngines` has set; `undefined` where this machine has none. */
export const redisServer = process.env.REDIS_URL === undefined ? undefined : { url: process.env.REDIS_URL };

/** Postgres, likewise. */
export const postgresServer = process.env.POSTGRES_URL === undefined ? undefined : { url: process.env.POSTGRES_URL };
