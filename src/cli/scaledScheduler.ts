import { asyncScheduler } from 'rxjs';
import type { SchedulerAction, SchedulerLike, Subscription } from 'rxjs';

/** Real time, but `factor` times as fast: what is scheduled in 1 000 ms happens after 1 000 / `factor`. */
export function scaledScheduler(factor: number): SchedulerLike {
  const start = asyncScheduler.now();
  return {
    now: () => start + (asyncScheduler.now() - start) * factor,
    schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
      return asyncScheduler.schedule<T>(
        function (given) {
          work.call(scaledAction(this, factor), given);
        },
        delay / factor,
        state,
      );
    },
  };
}

/** The action as its own work sees it, which may schedule itself again. */
function scaledAction<T>(action: SchedulerAction<T>, factor: number): SchedulerAction<T> {
  return Object.create(action, {
    schedule: { value: (state?: T, delay = 0) => action.schedule(state, delay / factor) },
    add: { value: action.add.bind(action) },
    remove: { value: action.remove.bind(action) },
    unsubscribe: { value: action.unsubscribe.bind(action) },
  }) as SchedulerAction<T>; // what it does not have itself, it has from the action
}
