import { NgZone, inject } from '@angular/core';
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { RUNPOD_SLOT } from './RunpodSlot.js';

/** How what happens to jobs gets from the client, outside of Angular's zone, into signals. */
export interface FollowContext {
  readonly scheduler: SchedulerLike;
  /** Runs what starts timers and requests, outside of Angular's zone. */
  readonly outside: <T>(run: () => T) => T;
  /** Runs what sets signals: inside Angular's zone, where there is one, and then once for all that comes at a time. */
  readonly deliver: (apply: () => void) => void;
}

/** Where one `jobResource` or `pipelineResource` gets its time and its zone from. */
export function followContext(): FollowContext {
  const zone = inject(NgZone);
  const { scheduler = asyncScheduler } = inject(RUNPOD_SLOT, { optional: true }) ?? {};
  const outside = <T>(run: () => T): T => zone.runOutsideAngular(run);
  // Without zone.js, Angular provides a class of its own, and its signals need no zone.
  if (!(zone instanceof NgZone)) {
    const deliver = (apply: () => void) => {
      apply();
    };
    return { scheduler, outside, deliver };
  }
  let waiting: (() => void)[] = [];
  const flush = () => {
    const all = waiting;
    waiting = [];
    zone.run(() => {
      for (const apply of all) apply();
    });
  };
  const deliver = (apply: () => void) => {
    if (waiting.push(apply) === 1) outside(() => scheduler.schedule(flush));
  };
  return { scheduler, outside, deliver };
}
