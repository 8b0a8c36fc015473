import { Subscription } from 'rxjs';
import type { SchedulerAction, SchedulerLike } from 'rxjs';
import { MAX_TIMER } from '../../protocol/limits.js';

/**
 * A scheduler that keeps delays of any length. A timer of JavaScript fires at once if its delay is longer than 24.8 days:
 * here such a delay is made of several timers, and after a delay of `Infinity` nothing happens.
 */
export function withLongDelays(scheduler: SchedulerLike): SchedulerLike {
  function schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
    if (delay <= MAX_TIMER) return scheduler.schedule(work, delay, state);
    const waiting = new Subscription();
    if (delay === Infinity) return waiting;
    const goOn = (): void => waiting.add(schedule(work, delay - MAX_TIMER, state));
    waiting.add(scheduler.schedule(goOn, MAX_TIMER));
    return waiting;
  }
  return { now: () => scheduler.now(), schedule };
}
