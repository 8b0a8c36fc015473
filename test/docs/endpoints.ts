import { map } from 'rxjs';
import type { EmulatedEndpoint } from 'runpod-rx/emulator';

/**
 * What answers the snippets of the documentation: each runs with an emulator of its own, whose address is in
 * `RUNPOD_BASE_URL`, with a key in `RUNPOD_API_KEY` and `my-endpoint` in `ENDPOINT_ID`. So a snippet reads like an
 * application, and needs neither an account nor a network.
 */
export const endpoints: Readonly<Record<string, EmulatedEndpoint>> = {
  /** Says what it was asked, in capitals, with a word on its progress first. */
  'my-endpoint': {
    handler: async ({ input }, { progress, sleep }) => {
      progress({ percent: 50 });
      await sleep(20);
      return { text: textOf(input).toUpperCase() };
    },
  },
  /** Streams the words that it was given, and has them as output as well. */
  'my-stream': {
    aggregate: true,
    handler: function* ({ input }) {
      for (const word of textOf(input).split(' ')) yield { text: word };
    },
  },
  /** Takes a minute. */
  'my-slow-endpoint': { handler: ({ input }, { delay }) => delay(60_000).pipe(map(() => ({ text: textOf(input) }))) },
  /** Fails each job. */
  'my-broken-endpoint': {
    handler: () => ({ error: 'CUDA out of memory' }),
  },
  /** Fails each job at its first run. */
  'my-flaky-endpoint': {
    handler: ({ id, input }) => {
      if (begun.has(id)) return { text: textOf(input).toUpperCase() };
      begun.add(id);
      return { error: 'CUDA out of memory' };
    },
  },
};

/** The jobs of `my-flaky-endpoint` that ran. */
const begun = new Set<string>();

function textOf({ prompt }: Record<string, unknown>): string {
  return typeof prompt === 'string' ? prompt : '';
}
