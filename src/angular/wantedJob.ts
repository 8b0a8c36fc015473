import { DestroyRef, computed, effect, inject, signal, untracked, type Signal } from '@angular/core';
import type { Unsubscribable } from 'rxjs';
import type { JobRef, JobRequest } from '../index.js';
import { isRecord, sameJson } from '../protocol/json.js';
import type { FollowContext } from './FollowContext.js';
import type { JobResourceRequest } from './JobResourceOptions.js';

/** What `request()` gave: a job to submit or to attach to, or what it threw. */
export interface WantedJob {
  readonly request?: JobRequest<object>;
  readonly ref?: JobRef | string;
  readonly error?: unknown;
  /** What it is compared by: a copy, since the caller may change the object later. `undefined` is equal to nothing. */
  readonly content: unknown;
}

/** The job that is wanted now. An equal request is no change, whichever object it is. */
export function wantedJob(request: () => JobResourceRequest<object>): Signal<WantedJob | undefined> {
  return computed(
    () => {
      try {
        return wanted(request());
      } catch (error) {
        return { error, content: undefined };
      }
    },
    { equal: isSame },
  );
}

/** The job that has been wanted for so many milliseconds. The first one counts at once. */
export function debounced(
  source: Signal<WantedJob | undefined>,
  delay: number,
  { scheduler, outside, deliver }: FollowContext,
): Signal<WantedJob | undefined> {
  const settled = signal<WantedJob | undefined>(undefined, { equal: isSame });
  let isFirst = true;
  let pause: Unsubscribable | undefined;
  effect(() => {
    const value = source();
    pause?.unsubscribe();
    const settle = () => {
      settled.set(value);
    };
    if (isFirst) settle();
    else if (!isSame(value, untracked(settled))) {
      pause = outside(() =>
        scheduler.schedule(() => {
          deliver(() => {
            // A change while the delivery waited begins a pause of its own, or needs none.
            if (untracked(source) === value) settle();
          });
        }, delay),
      );
    }
    isFirst = false;
  });
  inject(DestroyRef).onDestroy(() => pause?.unsubscribe());
  return settled.asReadonly();
}

function wanted(given: JobResourceRequest<object>): WantedJob | undefined {
  if (given === undefined) return undefined;
  const content = copyOf(given);
  // A reference has an id, and a request has none.
  if (typeof given === 'string' || (isRecord(given) && 'id' in given))
    return { ref: given as JobRef | string, content };
  return { request: given as JobRequest<object>, content };
}

/** What would be sent; `undefined` for what JSON cannot carry, which the job itself refuses in words. */
function copyOf(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value)) as unknown;
  } catch {
    return undefined;
  }
}

function isSame(a: WantedJob | undefined, b: WantedJob | undefined): boolean {
  if (!a || !b) return a === b;
  return a.content !== undefined && sameJson(a.content, b.content);
}
