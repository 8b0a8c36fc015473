import type { JobRow } from './JobRow.js';
import type { JobStore } from './JobStore.js';

/** A store in this process, for tests: a crash forgets it. */
export function memoryStore(): JobStore {
  const rows = new Map<string, JobRow>();
  return {
    get: (key) => rows.get(key),
    put: (row) => {
      rows.set(row.key, row);
    },
    commit: (key) => {
      const row = rows.get(key);
      if (row?.state === 'ended') rows.set(key, { ...row, committed: true });
    },
    delete: (key) => {
      rows.delete(key);
    },
    rows: async function* (state) {
      for (const row of [...rows.values()])
        if (state === undefined || row.state === state) yield await Promise.resolve(row);
    },
    close: () => undefined,
  };
}
