import type { SchedulerLike } from 'rxjs';
import type { WebhookStore } from './WebhookStore.js';

/** How many names are kept: the newest. A key takes up to four. */
const MAX_NAMES = 100_000;

/** A store in this process, bounded in time and in number. */
export function memoryStore(scheduler: SchedulerLike): WebhookStore {
  // In the order in which they were written, which is nearly that in which they end.
  const entries = new Map<string, { readonly value: string; readonly until: number }>();
  const read = (name: string) => {
    const entry = entries.get(name);
    return entry && entry.until > scheduler.now() ? entry.value : undefined;
  };
  const write = (name: string, value: string, keepFor: number) => {
    entries.delete(name);
    entries.set(name, { value, until: scheduler.now() + keepFor });
    for (const [oldest, { until }] of entries) {
      if (entries.size <= MAX_NAMES && until > scheduler.now()) break;
      entries.delete(oldest);
    }
  };
  return {
    get: read,
    set: write,
    add: (name, value, keepFor) => {
      const previous = read(name);
      if (previous === undefined) write(name, value, keepFor);
      return previous;
    },
  };
}
