import { ReplaySubject, share, type Observable, type SchedulerLike } from 'rxjs';
import { pollHealth, type PollHealthOptions } from '../sources/pollHealth.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';

/** Polls an endpoint's health once for all who watch it at the same pace. */
export class SharedHealth {
  readonly #scheduler: SchedulerLike;
  readonly #byPace = new Map<string, Observable<EndpointHealth>>();

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Emits the latest answer at once to a late subscriber. The polling stops when the last subscriber leaves. */
  watch(
    read: () => Observable<EndpointHealth>,
    { every = 5000, outage = 300_000 }: Omit<PollHealthOptions, 'scheduler'> = {},
  ): Observable<EndpointHealth> {
    const pace = `${every}/${outage}`;
    let shared$ = this.#byPace.get(pace);
    if (!shared$) {
      shared$ = pollHealth(read, { every, outage, scheduler: this.#scheduler }).pipe(
        share({ connector: () => new ReplaySubject(1) }),
      );
      this.#byPace.set(pace, shared$);
    }
    return shared$;
  }
}
