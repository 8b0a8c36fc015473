import { asyncScheduler, filter, map, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Inspection } from '../../inspect/Inspection.js';
import type { RequestRecord } from '../../RequestRecord.js';
import type { ClientCounts } from './ClientCounts.js';
import { DetailsFeed } from './DetailsFeed.js';
import type { FeedEvent, FeedQuery, FeedState } from './FeedEvent.js';
import { JobRows } from './JobRows.js';

/** How many requests the page shows. */
const MAX_REQUESTS = 100;

/** Milliseconds of real time between two looks at the emulator. */
const LOOK_INTERVAL = 200;

/** How long the feed may be silent while nothing changes, in milliseconds of the emulator's clock. */
const SILENCE = 1_000;

/** What one connection of the page is told. Each event holds what has changed since the one before. */
export class ChangeFeed {
  readonly #inspection: Inspection;
  readonly #clients: ClientCounts;
  readonly #rows: JobRows;
  readonly #details: DetailsFeed | undefined;
  /** The state as it was sent. */
  #state = '';
  /** The requests that were sent while they were in flight, and the number of the latest request that was sent. */
  readonly #inFlight = new Set<number>();
  #latest = 0;
  #toldAt = -Infinity;

  constructor(inspection: Inspection, clients: ClientCounts, query: FeedQuery) {
    this.#inspection = inspection;
    this.#clients = clients;
    this.#rows = new JobRows(query);
    this.#details = query.job ? new DetailsFeed(query.job) : undefined;
  }

  /**
   * The events, as server-sent events. Never completes.
   *
   * @param isRead - whether the client has read what it was sent; it is told nothing more until it has
   */
  events(isRead: () => boolean): Observable<string> {
    return timer(0, LOOK_INTERVAL, asyncScheduler).pipe(
      filter(isRead),
      map(() => this.next()),
      filter((event) => event !== undefined),
      map((event) => `data: ${JSON.stringify(event)}\n\n`),
    );
  }

  /** The next event; `undefined` while there is nothing to tell. */
  next(): FeedEvent | undefined {
    const { now, ...state } = this.#inspection.state();
    const [jobs, requests] = [this.#inspection.jobs(), this.#inspection.requests()];
    const changes = {
      ...this.#stateChange({ ...state, clients: this.#clients.list() }),
      ...member('jobs', this.#rows.changes(jobs)),
      ...member('requests', this.#newRequests(requests)),
      ...this.#details?.changes(jobs, requests),
    };
    if (Object.keys(changes).length === 0 && now - this.#toldAt < SILENCE) return undefined;
    this.#toldAt = now;
    return { now, ...changes };
  }

  #stateChange(state: FeedState): Pick<FeedEvent, 'state'> {
    const text = JSON.stringify(state);
    if (text === this.#state) return {};
    this.#state = text;
    return { state };
  }

  #newRequests(all: readonly RequestRecord[]): readonly RequestRecord[] | undefined {
    const shown = all.slice(-MAX_REQUESTS);
    const changed = shown.filter(
      ({ seq, endedAt }) => seq > this.#latest || (endedAt !== undefined && this.#inFlight.has(seq)),
    );
    if (changed.length === 0) return undefined;
    this.#latest = shown.at(-1)?.seq ?? this.#latest;
    this.#inFlight.clear();
    for (const { seq, endedAt } of shown) if (endedAt === undefined) this.#inFlight.add(seq);
    return changed;
  }
}

function member<K extends keyof FeedEvent>(name: K, value: FeedEvent[K] | undefined): Pick<FeedEvent, K> | undefined {
  return value === undefined ? undefined : ({ [name]: value } as Pick<FeedEvent, K>);
}
