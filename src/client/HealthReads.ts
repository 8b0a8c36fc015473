import { ReplaySubject, defer, finalize, share, type Observable, type SchedulerLike } from 'rxjs';
import { pollHealth, type PollHealthOptions } from '../sources/pollHealth.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';

/** Reads of an endpoint's health, shared by those who want it at the same pace. */
export class HealthReads {
  readonly #shared = new Map<string, Observable<EndpointHealth>>();
  readonly #scheduler: SchedulerLike;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  watch(read: () => Observable<EndpointHealth>, { every, outage }: PollHealthOptions): Observable<EndpointHealth> {
    return defer(() => {
      const pace = `${every ?? ''}/${outage ?? ''}`;
      const found = this.#shared.get(pace);
      if (found) return found;
      const shared = pollHealth(read, {
        scheduler: this.#scheduler,
        ...(every !== undefined && { every }),
        ...(outage !== undefined && { outage }),
      }).pipe(
        finalize(() => {
          if (this.#shared.get(pace) === shared) this.#shared.delete(pace);
        }),
        share({ connector: () => new ReplaySubject(1) }),
      );
      this.#shared.set(pace, shared);
      return shared;
    });
  }
}
