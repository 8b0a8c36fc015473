import { url as debuggerUrl } from 'node:inspector';
import { Script } from 'node:vm';

const WORK = Symbol.for('runpod-rx.work');
const script = new Script("globalThis[Symbol.for('runpod-rx.work')]()");
const scope = globalThis as { [WORK]?: () => unknown };

/**
 * Calls `work` and returns its result. If `work` has not returned after `ms` milliseconds of real time, it is ended, and
 * `bounded` throws. Ctrl-C ends `work` too, and then has its usual effect. Code of `work` after an `await` is not bounded.
 */
export function bounded<T>(work: () => T, ms: number): T {
  // With a debugger attached there is no bound: a breakpoint may last longer.
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
    return script.runInThisContext({ timeout: ms, breakOnSigint: true }) as T; // the result of `work`
  } catch (cause) {
    if (own.threw) throw cause;
    if (codeOf(cause) !== 'ERR_SCRIPT_EXECUTION_INTERRUPTED') {
      throw new Error(`the handler did not give way for ${ms / 1_000} s; all other jobs had to wait for it`, {
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
