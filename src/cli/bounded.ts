import { url as debuggerUrl } from 'node:inspector';
import { Script } from 'node:vm';

const WORK = Symbol.for('runpod-rx.work');
const script = new Script("globalThis[Symbol.for('runpod-rx.work')]()");
const scope = globalThis as { [WORK]?: () => unknown };

/**
 * Calls `work`, for as long as `ms` milliseconds of real time at most: what does not give way by then is ended, and throws.
 * Ctrl-C ends it as well, and then has its usual effect. What `work` does later, after an `await`, is not bounded.
 */
export function bounded<T>(work: () => T, ms: number): T {
  // Whoever halts in a debugger does not give way either.
  if (debuggerUrl() !== undefined) return work();
  const before = scope[WORK];
  const own = { threw: false };
  scope[WORK] = () => {
    try {
      return work();
    } catch (error) {
      own.threw = true;
      throw error;
    }
  };
  try {
    return script.runInThisContext({ timeout: ms, breakOnSigint: true }) as T; // what `work` gave
  } catch (cause) {
    if (own.threw) throw cause;
    if (codeOf(cause) !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') {
      throw new Error(`the handler did not give way for ${ms / 1_000} s; nothing else could go on meanwhile`, {
        cause,
      });
    }
    process.emit('SIGINT');
    throw new Error('stopped by Ctrl-C', { cause });
  } finally {
    scope[WORK] = before;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
