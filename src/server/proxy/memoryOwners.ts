import { assertOptions } from '../../errors/invalidOptions.js';
import { durationScheduler } from '../../time/clocks.js';
import { count, longDuration, type Checks } from '../../protocol/checkOptions.js';
import type { OwnedJob, OwnerStore } from './OwnerStore.js';

/** Options of {@link memoryOwners}. */
export interface MemoryOwnersOptions {
  /**
   * How many jobs are kept. Beyond it, those that were submitted first are forgotten, and exist for nobody.
   * @defaultValue 1 000 000
   */
  readonly max?: number;
  /**
   * How long a job is kept, in milliseconds.
   * @defaultValue 604 800 000 (7 days, which a job lives at most)
   */
  readonly keep?: number;
}

const OPTIONS: Checks<MemoryOwnersOptions> = { max: count(1), keep: longDuration };

interface Entry {
  readonly user: string;
  readonly at: number;
}

/** Keeps the owners of jobs in memory, in one process. A restart forgets them: the jobs run on, and no page can reach them. */
export function memoryOwners(options: MemoryOwnersOptions = {}): OwnerStore {
  assertOptions('memoryOwners', options, OPTIONS);
  const { max = 1_000_000, keep = 604_800_000 } = options;
  const clock = durationScheduler();
  const entries = new Map<string, Entry>();
  const keyOf = ({ endpointId, id }: OwnedJob) => `${endpointId}/${id}`;

  const dropOld = (now: number) => {
    for (const [key, { at }] of entries) {
      if (entries.size <= max && now - at < keep) return;
      entries.delete(key);
    }
  };
  return {
    set(job, user) {
      const at = clock.now();
      // To be the newest, where it was kept before.
      entries.delete(keyOf(job));
      entries.set(keyOf(job), { user, at });
      dropOld(at);
    },
    get(job) {
      dropOld(clock.now());
      return entries.get(keyOf(job))?.user;
    },
  };
}
