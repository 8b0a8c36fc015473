import { noop } from 'rxjs';
import type { Observable, Subscription } from 'rxjs';
import type { RequestRecord } from '../../RequestRecord.js';
import type { ClientCount } from './FeedEvent.js';

/** How many clients are told apart. Those beyond count together. */
const MAX_CLIENTS = 50;
const OTHERS = 'others';

type Count = { -readonly [K in keyof ClientCount]: ClientCount[K] };

/** Counts the requests of each client as they end. A client is known by its user agent, and by its key where there are keys. */
export class ClientCounts {
  readonly #counts = new Map<string, Count>();
  readonly #subscription: Subscription;

  /** @param requests$ - never errors, and completes when the emulator is closed */
  constructor(requests$: Observable<RequestRecord>) {
    this.#subscription = requests$.subscribe({ next: (request) => this.#add(request), error: noop });
  }

  /** The latest first. */
  list(): readonly ClientCount[] {
    return [...this.#counts.values()].sort((one, other) => other.lastAt - one.lastAt);
  }

  close(): void {
    this.#subscription.unsubscribe();
  }

  #add(request: RequestRecord): void {
    const { status, aborted, endedAt = 0 } = request;
    const count = this.#countOf(clientOf(request));
    count.requests += 1;
    count.lastAt = endedAt;
    if (status === 429) count.limited += 1;
    else if (!aborted && (status === undefined || status >= 400)) count.failed += 1;
  }

  #countOf(name: string): Count {
    const client = this.#counts.has(name) || this.#counts.size < MAX_CLIENTS ? name : OTHERS;
    const count = this.#counts.get(client) ?? { client, requests: 0, limited: 0, failed: 0, lastAt: 0 };
    this.#counts.set(client, count);
    return count;
  }
}

function clientOf({ userAgent = 'no user agent', key }: RequestRecord): string {
  return key === undefined ? userAgent : `${userAgent} · key ${key}`;
}
