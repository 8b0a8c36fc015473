import type { SchedulerAction, SchedulerLike, Subscription } from 'rxjs';
import { withLongDelays } from '../emulator/model/longDelays.js';
import { datedScheduler } from '../time/clocks.js';

/** A scheduler whose clock runs `factor` times as fast as real time: a delay of 1 000 ms takes 1 000 / `factor` ms. */
export function scaledScheduler(factor: number): SchedulerLike {
  // At a low speed, a delay that a timer can keep becomes one that it cannot.
  const real = withLongDelays(datedScheduler());
  const start = real.now();
  return {
    now: () => start + (real.now() - start) * factor,
    schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
      return real.schedule<T>(
        function (given) {
          work.call(scaledAction(this, factor), given);
        },
        delay / factor,
        state,
      );
    },
  };
}

/** The action that the work sees as `this`; when it schedules itself again, the delay is scaled too. */
function scaledAction<T>(action: SchedulerAction<T>, factor: number): SchedulerAction<T> {
  return Object.create(action, {
    schedule: { value: (state?: T, delay = 0) => action.schedule(state, delay / factor) },
    add: { value: action.add.bind(action) },
    remove: { value: action.remove.bind(action) },
    unsubscribe: { value: action.unsubscribe.bind(action) },
  }) as SchedulerAction<T>; // inherits all other members from the action
}
