import { retry, throwError, timer, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';

/** How often something is tried again: for some 100 s, less than the two minutes that a hook may take. */
const COUNT = 24;
const MAX_PAUSE = 5_000;

/** Tries again while the engine of a queue is away, as during its restart. Errors with the last error. */
export function patiently<T>(scheduler: SchedulerLike): MonoTypeOperatorFunction<T> {
  return retry({
    count: COUNT,
    delay: (error: unknown, n) =>
      isRefusal(error) ? throwError(() => error) : timer(Math.min(MAX_PAUSE, 125 * 2 ** n), scheduler),
  });
}

/**
 * Whether Postgres has refused a statement for what it says: its data, missing rights, its syntax. That a table exists, made by
 * another process at the same moment, is none.
 */
export function isRefusal(error: unknown): boolean {
  const { code } = Object(error) as { readonly code?: unknown };
  return typeof code === 'string' && /^(22|42)[0-9A-Z]{3}$/.test(code) && code !== '42P07';
}
