/** A client of Redis, as far as it is needed: one of `ioredis`, or a few lines around another. */
export interface RedisClient {
  /**
   * Runs a script, and resolves with what it returns.
   *
   * @param numberOfKeys - how many of the arguments are keys: they come first
   */
  eval(script: string, numberOfKeys: number, ...args: string[]): Promise<unknown>;
}
