import { vi } from 'vitest';

/** Waits until a check passes, however busy the machine is. */
export function patiently<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 100_000, interval: 20 });
}
