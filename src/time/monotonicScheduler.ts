import { asyncScheduler, type SchedulerAction, type SchedulerLike, type Subscription } from 'rxjs';

/** Further from the wall clock than this, in milliseconds, `asyncScheduler` runs in the virtual time of a `TestScheduler`. */
const VIRTUAL_DISTANCE = 365 * 86_400_000;

/** The latest time at which a timer was seen to fire. */
let firedAt = 0;

/**
 * `asyncScheduler` with a clock that nobody sets: `now()` is `performance.now()`. Durations that are measured by it stay
 * right when the wall clock is set, by hours and in either direction. Its times have no meaning as dates.
 *
 * A timer that has fired proves that its time has passed, even where the platform's clock is coarse or its timers are
 * faked: `now()` never lies before it. In the virtual time of RxJS's `TestScheduler`, the clock is the virtual one.
 */
export const monotonicScheduler: SchedulerLike = {
  now: () => virtualNow() ?? Math.max(firedAt, performance.now()),
  schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
    const dueAt = virtualNow() === undefined ? monotonicScheduler.now() + delay : 0;
    return asyncScheduler.schedule<T>(
      function (given) {
        firedAt = Math.max(firedAt, dueAt);
        work.call(this, given);
      },
      // Node cuts off the fraction, and the timer would fire earlier by that.
      Math.ceil(delay),
      state,
    );
  },
};

/** The time of RxJS's `TestScheduler` while it runs; `undefined` in real time. */
function virtualNow(): number | undefined {
  const now = asyncScheduler.now();
  return Math.abs(now - Date.now()) > VIRTUAL_DISTANCE ? now : undefined;
}
