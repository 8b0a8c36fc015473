import { map } from 'rxjs';
import type { Endpoints } from './Endpoints.js';

/** Milliseconds between two chunks of `my-stream`. */
const CHUNK_INTERVAL = 60;

/** The endpoints that the documentation uses, for `emulate --sample`. The input of each is `{ prompt }`. */
export const sampleEndpoints: Endpoints = {
  /** Says the prompt in capitals, with a word on its progress first. */
  'my-endpoint': {
    handler: async ({ input }, { progress, sleep }) => {
      progress({ percent: 50 });
      await sleep(20);
      return { text: promptOf(input).toUpperCase() };
    },
  },
  /** Streams the words of the prompt, and has them as output as well. */
  'my-stream': {
    aggregate: true,
    handler: async function* ({ input }, { sleep }) {
      for (const word of promptOf(input).split(' ')) {
        yield { text: word };
        await sleep(CHUNK_INTERVAL);
      }
    },
  },
  /** Takes a minute. */
  'my-slow-endpoint': { handler: ({ input }, { delay }) => delay(60_000).pipe(map(() => ({ text: promptOf(input) }))) },
  /** Fails each job. */
  'my-broken-endpoint': {
    handler: () => ({ error: 'CUDA out of memory' }),
  },
  /** Fails each job at its first run; `retry` lets it complete. */
  'my-flaky-endpoint': {
    handler: ({ input }, { attempt }) =>
      attempt > 1 ? { text: promptOf(input).toUpperCase() } : { error: 'CUDA out of memory' },
  },
};

function promptOf({ prompt }: Record<string, unknown>): string {
  return typeof prompt === 'string' ? prompt : '';
}
