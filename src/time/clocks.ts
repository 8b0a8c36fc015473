import { asyncScheduler, type SchedulerAction, type SchedulerLike, type Subscription } from 'rxjs';
import { monotonicScheduler } from './monotonicScheduler.js';

/** A scheduler that brings a wall clock of its own. The clock of its `now()` need not agree with it. */
interface WithWallClock {
  /** Milliseconds since 1970. */
  readonly wallNow?: () => number;
}

/**
 * The scheduler that a duration is measured and waited for with: the given one, whose `now()` is then the truth. The clock
 * of `asyncScheduler`, the default, can be set while a duration is measured, so `monotonicScheduler` takes its place.
 */
export function durationScheduler(given: SchedulerLike = asyncScheduler): SchedulerLike {
  return given === asyncScheduler ? monotonicScheduler : given;
}

/**
 * The wall clock beside a scheduler, in milliseconds since 1970: for times that leave the process, and for those that come
 * from elsewhere. A foreign scheduler's own clock is taken for the wall clock, unless the scheduler brings another.
 */
export function wallClockOf(given: SchedulerLike = asyncScheduler): () => number {
  // Its clock is `Date.now()`, or the virtual one of RxJS's `TestScheduler`.
  if (given === monotonicScheduler) return () => asyncScheduler.now();
  const { wallNow } = given as WithWallClock;
  return wallNow ? () => wallNow.call(given) : () => given.now();
}

/**
 * A scheduler whose times are dates, and whose durations do not depend on the wall clock being set: it reads the wall clock
 * once, when it is made. A given scheduler is taken as it is, unless it is `asyncScheduler`.
 */
export function datedScheduler(given: SchedulerLike = asyncScheduler): SchedulerLike {
  if (given !== asyncScheduler) return given;
  const madeAt = monotonicScheduler.now();
  const epoch = Math.round(asyncScheduler.now() - madeAt);
  return {
    now: () => epoch + Math.floor(monotonicScheduler.now()),
    schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay?: number, state?: T): Subscription {
      return monotonicScheduler.schedule<T>(work, delay, state);
    },
  };
}

/**
 * The time on a scheduler's clock at which something happened that has a date, in milliseconds since 1970. The date may be
 * from a machine whose clock is ahead: a date in the future counts as now.
 */
export function timeOfDate(date: number, scheduler: SchedulerLike, wallNow: () => number): number {
  return scheduler.now() - Math.max(0, wallNow() - date);
}
