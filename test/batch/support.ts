import type { Endpoint, JobRequest, Transport } from 'runpod-rx';
import { createRunpod } from 'runpod-rx';
import { batches } from 'runpod-rx/batch';
import type { EmulatorOptions } from 'runpod-rx/testing';
import { world } from '../support/world.js';

export interface Input {
  readonly n: number;
  readonly ms?: number;
}

export const request = (n: number, ms = 1_000): JobRequest<Input> => ({ input: { n, ms } });
export const requests = (count: number, ms?: number) => Array.from({ length: count }, (_, n) => request(n, ms));

/** An endpoint with batches, on a virtual clock. Its jobs take `input.ms`, and echo their input. */
export function service(options: Partial<EmulatorOptions> = {}) {
  const made = world({ latency: 20, ...options });
  const { scheduler } = made;
  const endpoint: Endpoint<Input, { echo: Input }> = made.client.endpoint('demo');
  return {
    ...made,
    endpoint,
    batches: batches(endpoint, { scheduler }),
    /** A client of its own: another process. */
    process: (transport: Transport = made.emulator.transport) => {
      const client = createRunpod({ transport, scheduler, apiKey: 'key', random: () => 0.5 });
      return { client, batches: batches(client.endpoint<Input, { echo: Input }>('demo'), { scheduler }) };
    },
    /** How often each input was given to a worker. */
    runs: () => {
      const counts = new Map<number, number>();
      for (const job of made.emulator.jobs())
        if (job.runs.length > 0) {
          const n = Number((job.input as { n?: unknown }).n);
          counts.set(n, (counts.get(n) ?? 0) + job.runs.length);
        }
      return counts;
    },
  };
}
