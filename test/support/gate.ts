import type { EmulatedEndpoint } from 'runpod-rx/testing';

/** An endpoint whose jobs run until the test opens its gate; the output echoes the input. */
export function gated() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let running = 0;
  let most = 0;
  const endpoint: EmulatedEndpoint = {
    workers: 20,
    handler: async ({ input }) => {
      running++;
      most = Math.max(most, running);
      await opened;
      running--;
      return { echo: input };
    },
  };
  return {
    endpoint,
    open,
    running: () => running,
    /** The most that ran at a time. */
    most: () => most,
  };
}
