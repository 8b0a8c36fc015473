import { VirtualTimeScheduler, type SchedulerLike } from 'rxjs';
import type { EmulatorOptions } from '../EmulatorOptions.js';

const ADVICE =
  'a virtual scheduler does not wait for promises. Return an Observable, such as context.delay(1_000).pipe(map(() => output)), ' +
  'or leave the option scheduler out and test in real time.';

/** Why a handler that returned a promise, or an async generator, fails its job in virtual time. */
export const PROMISE_IN_VIRTUAL_TIME = `the handler returned a promise or an async generator, and ${ADVICE}`;

/** Whether the time of a scheduler moves only when a test says so. */
export function isVirtual(scheduler: SchedulerLike | undefined): boolean {
  return scheduler instanceof VirtualTimeScheduler;
}

/** Throws a `TypeError` for a handler that can be seen to need real time, where the time is virtual. */
export function assertVirtualHandlers({ endpoints, scheduler }: EmulatorOptions): void {
  if (!isVirtual(scheduler)) return;
  for (const [id, endpoint] of Object.entries<unknown>(endpoints)) {
    if (isAsync(endpoint) || isAsync((endpoint as { handler?: unknown }).handler))
      throw new TypeError(`endpoints.${id} has an async handler: ${ADVICE}`);
  }
}

/** Whether a function was written as `async`. Not known of one that a compiler has rewritten. */
function isAsync(handler: unknown): boolean {
  return /^Async(Generator)?Function$/.test(Object.prototype.toString.call(handler).slice(8, -1));
}
