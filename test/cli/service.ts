import { onTestFinished } from 'vitest';
import { startEmulator, type ListeningEmulator } from 'runpod-rx/emulator';
import type { EmulatorOptions } from 'runpod-rx/testing';
import { Command, type CommandOptions } from './command.js';

/** A local RunPod, and the command against it. */
export async function service(options: Partial<EmulatorOptions> = {}) {
  const emulator: ListeningEmulator = await startEmulator({
    endpoints: {
      fine: ({ input }) => ({ text: `about ${String(input.prompt)}` }),
      words: {
        handler: async function* ({ input }) {
          for (const word of String(input.prompt).split(' ')) yield await Promise.resolve(`${word} `);
        },
        aggregate: true,
      },
      broken: () => {
        throw new Error('out of memory');
      },
      never: (_job, { delay }) => delay(3_600_000),
      number: { handler: ({ input }) => ({ n: input.n }), workers: 20 },
    },
    ...options,
  });
  onTestFinished(() => emulator.close());
  const env = { RUNPOD_BASE_URL: emulator.baseUrl, RUNPOD_API_KEY: undefined, NO_COLOR: '1' };
  return {
    emulator,
    env,
    run: (args: readonly string[], given: CommandOptions = {}) =>
      new Command(args, { ...given, env: { ...env, ...given.env } }),
    /** How often the command has asked for something. */
    asked: (operation: string) => emulator.requests().filter((request) => request.operation === operation).length,
  };
}
