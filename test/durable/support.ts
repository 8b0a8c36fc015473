import { Subject } from 'rxjs';
import { createRunpod, runAll, type JobRequest, type PipelineItem, type PipelineOptions } from 'runpod-rx';
import { durable, memoryStore, type DurableOptions, type JobRow, type JobStore } from 'runpod-rx/durable';
import type { EmulatorOptions } from 'runpod-rx/testing';
import { world, type Seen, type World } from '../support/world.js';

export interface Order {
  readonly id: string;
  readonly ms?: number;
}

export const order = (id: string, ms = 10_000): JobRequest<Order> => ({ input: { id, ms } });

/** Webhooks of a receiver that outlives the processes: the test says which job a key has become. */
export function toldWebhooks() {
  const jobs = new Map<string, string>();
  /** What was signed, one after the other. */
  const signed: string[] = [];
  const resolved$ = new Subject<{ readonly key: string; readonly id: string }>();
  return {
    jobs,
    signed,
    resolved$,
    sign: <I extends object>(request: JobRequest<I>, key: string) => {
      signed.push(key);
      return { ...request, webhook: `https://example.com/hook?key=${encodeURIComponent(key)}` };
    },
    jobOf: (key: string) => jobs.get(key),
  };
}

/** A service that outlives the processes of a test. */
export function service(options: Partial<EmulatorOptions> = {}) {
  const made = world(options);
  const store = memoryStore();
  return {
    ...made,
    store,
    rows: () => rowsOf(store),
    /** A new process: a client of its own, and a pipeline of durable jobs on the store. */
    process: (given: Partial<DurableOptions<Order>> = {}) => startProcess(made, { store: { ...store }, ...given }),
    runs: () => made.emulator.requests().filter(({ operation }) => operation === 'run').length,
  };
}

function startProcess(made: World, given: Partial<DurableOptions<Order>> & { readonly store: JobStore }) {
  const client = createRunpod({
    transport: made.emulator.transport,
    scheduler: made.scheduler,
    apiKey: 'key',
    random: () => 0.5,
  });
  const jobs = durable(client.endpoint<Order>('demo'), {
    key: ({ input }) => input.id,
    scheduler: made.scheduler,
    ...given,
  });
  const run = (
    requests: readonly JobRequest<Order>[],
    options: PipelineOptions<Order> = {},
  ): Seen<PipelineItem<Order>> => made.see(runAll(jobs, requests, { scheduler: made.scheduler, ...options }));
  return { client, jobs, run };
}

export async function rowsOf(store: JobStore): Promise<JobRow[]> {
  const rows: JobRow[] = [];
  for await (const row of store.rows()) rows.push(row);
  return rows;
}

/** The items as text: `a` for a result, `a!code` for a failure. */
export function shown({ values }: Pick<Seen<PipelineItem<Order>>, 'values'>): string[] {
  return values.map((item) => {
    const { id } = item.request.input;
    return item.ok ? id : `${id}!${(item.error as { code?: string }).code ?? String(item.error)}`;
  });
}
