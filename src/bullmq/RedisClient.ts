/** A client of Redis, as far as it is needed: one of `ioredis`. */
export interface RedisClient {
  /** Runs a script of Lua. */
  eval(script: string, numberOfKeys: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
}
