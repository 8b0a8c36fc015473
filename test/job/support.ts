import { expect } from 'vitest';
import type { Job, JobRef, Runpod } from 'runpod-rx';
import type { Clock, Script, Seen, World } from '../support/world.js';

/** The views that own a job. */
export const owning = ['events$', 'state$', 'progress$', 'chunks$', 'output$'] as const;

/** All views that start a job. */
export const starting = ['id$', ...owning] as const;

/** How many requests of each operation reached the server. */
export function asked(made: Pick<World, 'emulator'> | Pick<Script, 'sent'>): Record<string, number> {
  const operations =
    'sent' in made ? made.sent.map(({ operation }) => operation) : made.emulator.requests().map((one) => one.operation);
  const counts: Record<string, number> = {};
  for (const operation of operations) counts[operation ?? '?'] = (counts[operation ?? '?'] ?? 0) + 1;
  return counts;
}

/** How many timers are pending. */
export function timers({ scheduler }: Pick<Clock, 'scheduler'>): number {
  return scheduler.actions.filter(({ closed }) => !closed).length;
}

/** Expects that no request is made any more, and that no timer is pending. */
export function expectSilence(made: (World | Script) & { readonly client: Runpod }, ms = 1_000_000): void {
  const before = asked(made);
  // The emulator has timers of its own.
  if ('sent' in made) expect(timers(made)).toBe(0);
  made.until(made.scheduler.now() + ms);
  expect(asked(made)).toEqual(before);
}

/** The report of `settled()`, by job id; `undefined` while something is outstanding. */
export function settled({ client, see }: Pick<World, 'client' | 'see'>) {
  const seen = see(client.settled());
  // Otherwise this subscriber would receive the report of a later call.
  seen.subscription.unsubscribe();
  const [report] = seen.values;
  const ids = (refs: readonly JobRef[]) => refs.map(({ id }) => id);
  return (
    report && {
      cancelled: ids(report.cancelled),
      finished: ids(report.finished),
      abandoned: ids(report.abandoned),
      lost: report.lost.map(({ operation }) => operation),
    }
  );
}
export const nothing = { cancelled: [], finished: [], abandoned: [], lost: [] };

/** Subscribes to views of a job, by name. */
export function look<N extends (typeof starting)[number]>(
  { see }: Pick<Clock, 'see'>,
  job: Job,
  ...names: readonly N[]
): Record<N, Seen<unknown>> {
  return Object.fromEntries(names.map((name) => [name, see<unknown>(job[name])])) as Record<N, Seen<unknown>>;
}
